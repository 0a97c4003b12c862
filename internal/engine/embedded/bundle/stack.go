package bundle

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Bounds of a stack that is mapped; what goes beyond is left out.
const (
	maxStackBytes = 64 << 10
	maxFrames     = 100
)

// frameLine matches one line of a stack: function, file, line, column.
var frameLine = regexp.MustCompile(`^\s*at (?:(.*) \()?([^():]*):(\d+)(?::(\d+))?\)?$`)

// evalName is what the engine calls a script that was given no name.
const evalName = "<eval>"

// frame is one line of a stack.
type frame struct {
	text string
	// call says that the line is a call, and not a part of a message.
	call bool
	// inScript says that the call is in the script: in function, at place.
	inScript bool
	function string
	place    position
}

// MapStack rewrites the frames of the script in a stack of the engine to the
// author's files, lines and columns. Frames of nothing that the author wrote
// (the SDK, the compiler's helpers, native functions, the realm's own scripts)
// are left out, lines that are no frames stay. A stack is never the reason of
// a failure: with a source map that cannot be read, the frames keep the places
// in the script.
//
// The script's frames are those of CodeName, and of "<eval>": a realm that
// cannot name its scripts has its own on the first line, where the script has
// nothing to map.
func MapStack(sourceMap []byte, stack string) string {
	frames := readFrames(stack)
	var places []position
	for _, f := range frames {
		if f.inScript {
			places = append(places, f.place)
		}
	}
	originals, err := lookUp(sourceMap, places)
	var lines []string
	for _, f := range frames {
		switch {
		case !f.call:
			lines = append(lines, f.text)
		case f.inScript && err != nil:
			lines = append(lines, f.text)
		case f.inScript:
			if at, ok := originals[f.place]; ok && at.isAuthors() {
				lines = append(lines, f.at(at))
			}
		}
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// readFrames takes a stack apart.
func readFrames(stack string) []frame {
	var frames []frame
	for line := range strings.Lines(stack[:min(len(stack), maxStackBytes)]) {
		if len(frames) == maxFrames {
			break
		}
		frames = append(frames, readFrame(strings.TrimRight(line, "\n")))
	}
	return frames
}

func readFrame(line string) frame {
	f := frame{text: line, call: strings.HasPrefix(strings.TrimSpace(line), "at ")}
	m := frameLine.FindStringSubmatch(line)
	if m == nil {
		return f
	}
	file := m[2]
	lineNumber, _ := strconv.Atoi(m[3])
	column, _ := strconv.Atoi(m[4])
	f.function = m[1]
	f.place = position{line: lineNumber - 1, column: max(column-1, 0)}
	f.inScript = strings.HasSuffix(file, CodeName) || file == evalName
	return f
}

// at writes the frame with its original place.
func (f frame) at(o original) string {
	place := fmt.Sprintf("%s:%d:%d", o.source, o.line+1, o.column+1)
	if f.function == "" || f.function == evalName || strings.HasPrefix(f.function, userSpace+":") {
		return "    at " + place
	}
	return fmt.Sprintf("    at %s (%s)", f.function, place)
}

// isAuthors reports whether the author wrote the source.
func (o original) isAuthors() bool {
	return o.source != entryName && !strings.HasPrefix(o.source, sdkSpace+":")
}
