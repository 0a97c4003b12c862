package dashboard

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// around is how many lines are shown before and after the one that failed.
	around = 5
	// maxCodeLine is how much of a line of code is shown, in bytes.
	maxCodeLine = 400
)

// codeView is the code around a place.
type codeView struct {
	File  string
	Line  int
	Lines []codeLine
	// Path leads to the line in the code of the deployment that ran.
	Path string
}

type codeLine struct {
	Number int
	Text   string
	// Here marks the line that the view is about.
	Here bool
}

// frame is a place in a stack.
var frame = regexp.MustCompile(`([^\s()]+?):(\d+)(?::\d+)?\)?$`)

// codeAt shows the code of the first place of a stack that is in the author's own
// files; nil when none is.
func codeAt(source workflow.Source, stack string) *codeView {
	for line := range strings.Lines(stack) {
		m := frame.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || strings.Contains(m[1], "node_modules/") {
			continue
		}
		file := path.Clean(strings.TrimPrefix(m[1], "file://"))
		text, known := source.Files[file]
		number, err := strconv.Atoi(m[2])
		if !known || err != nil {
			continue
		}
		lines := strings.Split(text, "\n")
		if number < 1 || number > len(lines) {
			continue
		}
		v := &codeView{File: file, Line: number}
		for n := max(1, number-around); n <= min(len(lines), number+around); n++ {
			v.Lines = append(v.Lines, codeLine{Number: n, Text: cut(lines[n-1], maxCodeLine), Here: n == number})
		}
		return v
	}
	return nil
}
