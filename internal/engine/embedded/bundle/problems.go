package bundle

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/sdk"
)

// maxProblems bounds the list that an author gets.
const maxProblems = 50

// noMatch is the compiler's name for a computed import that no file on disk
// matches, which is all of them: it may not see the disk.
const noMatch = "empty-glob"

// problems returns what is wrong with the source, in the order of files and
// lines. Two warnings count: that the SDK lacks what is used, and that an
// import is computed.
func (b *build) problems(out api.BuildResult) []engine.Problem {
	var found []engine.Problem
	for _, message := range out.Errors {
		found = append(found, b.problem(message))
	}
	for _, message := range out.Warnings {
		if message.ID == noMatch || missingFromSDK.MatchString(message.Text) {
			found = append(found, b.problem(message))
		}
	}
	slices.SortStableFunc(found, func(x, y engine.Problem) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	found = slices.Compact(found)
	if left := len(found) - maxProblems; left > 0 {
		found = append(found[:maxProblems], engine.Problem{Text: fmt.Sprintf("%d more problems are not shown", left)})
	}
	return found
}

func (b *build) problem(message api.Message) engine.Problem {
	if message.Location == nil {
		return engine.Problem{Text: message.Text}
	}
	file, ok := strings.CutPrefix(message.Location.File, userSpace+":")
	if !ok {
		// Not a file of the author; its name and lines are not theirs to see.
		return engine.Problem{Text: message.Text}
	}
	p := engine.Problem{File: file, Line: message.Location.Line, Column: column(message.Location), Text: b.text(file, message)}
	return b.withinFile(p)
}

// column counts characters from 1; the compiler counts bytes from 0.
func column(at *api.Location) int {
	return 1 + utf8.RuneCountInString(at.LineText[:min(max(at.Column, 0), len(at.LineText))])
}

// withinFile moves a problem at the end of the text that loaded appends, such
// as a missing brace, to the end of the author's last line.
func (b *build) withinFile(p engine.Problem) engine.Problem {
	text, ok := b.files.Read(p.File)
	if !ok {
		return p
	}
	if last := 1 + strings.Count(text, "\n"); p.Line > last {
		p.Line, p.Column = last, 1+utf8.RuneCountInString(text[strings.LastIndexByte(text, '\n')+1:])
	}
	return p
}

var missingFromSDK = regexp.MustCompile(`^(?:No matching export in "floww:[^"]*" for import "([^"]*)"` +
	`|Import "([^"]*)" will always be undefined because there is no matching export in "floww:[^"]*")$`)

// text puts a compiler's message into words that tell an author what to do.
func (b *build) text(file string, message api.Message) string {
	text := message.Text
	if message.ID == noMatch {
		return computedImport
	}
	if names := missingFromSDK.FindStringSubmatch(text); names != nil {
		return fmt.Sprintf("the module \"floww\" of this server has no %q; it has: %s", cmp.Or(names[1], names[2]), sdk.Exports)
	}
	if quoted, ok := strings.CutPrefix(text, "Could not resolve "); ok {
		if specifier, err := strconv.Unquote(quoted); err == nil {
			if why, ok := b.missing.of(file, specifier); ok {
				return why
			}
		}
		return computedImport
	}
	if strings.HasPrefix(text, "Top-level await") {
		return "await at the top level of a file is not supported; move it into the handler"
	}
	return strings.ReplaceAll(text, `"`+userSpace+":", `"`)
}
