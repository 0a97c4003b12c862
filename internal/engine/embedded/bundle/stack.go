package bundle

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-sourcemap/sourcemap"
)

// Bounds of a stack that is mapped; what goes beyond is left out.
const (
	maxStackBytes = 64 << 10
	maxFrames     = 100
)

// frame matches one line of a stack: function, file, line, column.
var frame = regexp.MustCompile(`^\s*at (?:(.*) \()?([^():]*):(\d+)(?::(\d+))?\)?$`)

// evalName is what the engine calls a script that was given no name.
const evalName = "<eval>"

// MapStack rewrites the frames of the script in a stack of the engine to the
// author's files, lines and columns. Frames of nothing that the author wrote
// (the SDK, the compiler's helpers, native functions, the realm's own scripts)
// are left out, lines that are no frames stay. A stack is never the reason of
// a failure: with a source map that cannot be read, the frames keep the places
// in the script.
//
// The script's frames are those of CodeName, and of "<eval>" from line 2 on: a
// realm that cannot name its scripts keeps its own on one line.
func MapStack(sourceMap []byte, stack string) string {
	positions := readPositions(sourceMap)
	var mapped []string
	for line := range strings.Lines(stack[:min(len(stack), maxStackBytes)]) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(strings.TrimSpace(line), "at ") {
			mapped = append(mapped, line)
		} else if text, ok := positions.mapFrame(line); ok {
			mapped = append(mapped, text)
		}
		if len(mapped) == maxFrames {
			break
		}
	}
	return strings.Trim(strings.Join(mapped, "\n"), "\n")
}

// positions maps places of the script; the zero value maps none.
type positions struct{ consumer *sourcemap.Consumer }

// readPositions reads a source map. The reader trusts its input: a map that
// was tampered with can make it panic, here and in original.
func readPositions(sourceMap []byte) (p positions) {
	defer func() {
		if recover() != nil {
			p = positions{}
		}
	}()
	consumer, err := sourcemap.Parse("", sourceMap)
	if err != nil {
		return positions{}
	}
	return positions{consumer}
}

// mapFrame returns the frame in the author's terms; false when it is none of
// the author's.
func (p positions) mapFrame(line string) (string, bool) {
	m := frame.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	name, file := m[1], m[2]
	lineNumber, _ := strconv.Atoi(m[3])
	column, _ := strconv.Atoi(m[4])
	if !strings.HasSuffix(file, CodeName) && (file != evalName || lineNumber < 2) {
		return "", false
	}
	if p.consumer == nil {
		return line, true
	}
	place, ok := p.original(lineNumber, max(column, 1))
	if !ok {
		return "", false
	}
	if name == "" || name == evalName || strings.HasPrefix(name, userSpace+":") {
		return "    at " + place, true
	}
	return fmt.Sprintf("    at %s (%s)", name, place), true
}

// original returns the place in the author's files as "file:line:column".
func (p positions) original(line, column int) (place string, ok bool) {
	defer func() {
		if recover() != nil {
			place, ok = "", false
		}
	}()
	source, _, sourceLine, sourceColumn, ok := p.consumer.Source(line, column-1)
	if !ok || source == "" || source == entryName || strings.HasPrefix(source, sdkSpace+":") {
		return "", false
	}
	return fmt.Sprintf("%s:%d:%d", source, sourceLine, sourceColumn+1), true
}
