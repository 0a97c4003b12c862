package dashboard

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/usefloww/flowwd/internal/workflow"
)

// Bounds of what is compared: files, the text of one in bytes, and lines in all.
const (
	maxDiffFiles = 100
	maxDiffFile  = 512 << 10
	maxDiffLines = 3000
)

// diffView is what changed between two sources.
type diffView struct {
	Files []fileDiff
	// Packages counts the files of packages that changed, and More the other files
	// that are not shown.
	Packages, More int
	// Entry says what the entrypoint was and is; empty when it stayed.
	Entry string
}

// fileDiff is what changed in a file.
type fileDiff struct {
	Path string
	// What is "added", "removed" or "changed".
	What  string
	Lines []diffLine
	// Cut says that there is more of it than is shown.
	Cut bool
}

// diffLine is a line of a unified diff: Kind is "+", "-", "@" or a space.
type diffLine struct{ Kind, Text string }

// hunk begins a part of a unified diff, and says where it is in the newer text.
var hunk = regexp.MustCompile(`^@@ -[0-9,]+ \+([0-9]+)`)

// packages is where the files of packages are.
const packages = "node_modules/"

func inPackage(path string) bool {
	return strings.HasPrefix(path, packages) || strings.Contains(path, "/"+packages)
}

func diffOf(old, now workflow.Source) diffView {
	var v diffView
	if old.Entrypoint != now.Entrypoint {
		v.Entry = old.Entrypoint + " → " + now.Entrypoint
	}
	all := map[string]string{}
	maps.Copy(all, old.Files)
	maps.Copy(all, now.Files)
	left := maxDiffLines
	for _, path := range slices.Sorted(maps.Keys(all)) {
		before, was := old.Files[path]
		after, is := now.Files[path]
		switch {
		case was && is && before == after:
		case inPackage(path):
			v.Packages++
		case len(v.Files) == maxDiffFiles || left == 0:
			v.More++
		default:
			f := fileDiff{Path: path, What: "changed"}
			if !was {
				f.What = "added"
			} else if !is {
				f.What = "removed"
			}
			f.compare(before, after, left)
			left -= len(f.Lines)
			v.Files = append(v.Files, f)
		}
	}
	return v
}

// compare fills in the lines that differ, at most so many.
func (f *fileDiff) compare(before, after string, most int) {
	if len(before) > maxDiffFile || len(after) > maxDiffFile {
		f.Cut = true
		return
	}
	text := string(diff.Diff("a", []byte(before), "b", []byte(after)))
	_, text, _ = strings.Cut(text, "\n+++ b\n")
	for line := range strings.Lines(text) {
		if len(f.Lines) == most {
			f.Cut = true
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		shown := diffLine{Kind: line[:1], Text: cut(line[1:], maxCodeLine)}
		if m := hunk.FindStringSubmatch(line); m != nil && shown.Kind == "@" {
			shown.Text = "line " + m[1]
		}
		f.Lines = append(f.Lines, shown)
	}
}
