package ui

import (
	"context"
	"embed"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/chroma/v2"
)

// lexers are those of chroma for what workflows are written in, as its authors
// publish them; TestLexersAreThePublishedOnes compares. All of them would be 5 MB.
//
//go:embed lexers
var lexers embed.FS

// Bounds of code that is shown in colours: the rest is plain.
const (
	maxColoured  = 256 << 10
	colouredTime = 200 * time.Millisecond
)

// CodeLine is a line of code in its parts.
type CodeLine []CodePart

// CodePart is a piece of code; Class says how it looks, and is empty for most of
// it.
type CodePart struct{ Class, Text string }

var (
	typescript = lexer("typescript")
	javascript = lexer("javascript")
	jsonLexer  = lexer("json")
)

// lexer reads the one of a language when it is asked for first.
func lexer(language string) func() (chroma.Lexer, error) {
	return sync.OnceValues(func() (chroma.Lexer, error) {
		l, err := chroma.NewXMLLexer(lexers, "lexers/"+language+".xml")
		if err != nil {
			return nil, err
		}
		// It gets its rules ready at the first text, which a page has no time for.
		if _, err := l.Tokenise(nil, ""); err != nil {
			return nil, err
		}
		return chroma.Coalesce(l), nil
	})
}

// lexerFor is the lexer of a file; nil when there is none.
func lexerFor(name string) (chroma.Lexer, error) {
	switch path.Ext(name) {
	case ".ts", ".tsx", ".mts", ".cts":
		return typescript()
	case ".js", ".jsx", ".mjs", ".cjs":
		return javascript()
	case ".json":
		return jsonLexer()
	}
	return nil, nil
}

// Highlight returns the lines of a file. What it would take too long to colour
// is plain from there on.
func Highlight(ctx context.Context, name, text string) ([]CodeLine, error) {
	l, err := lexerFor(name)
	if err != nil || l == nil || len(text) > maxColoured {
		return plainLines(text), err
	}
	// Lexers see lines with one character at their ends.
	parts, rest := coloured(ctx, l, strings.ReplaceAll(text, "\r\n", "\n"))
	lines := []CodeLine{nil}
	for _, p := range append(parts, CodePart{Text: rest}) {
		for i, text := range strings.Split(p.Text, "\n") {
			if i > 0 {
				lines = append(lines, nil)
			}
			if text != "" {
				last := len(lines) - 1
				lines[last] = append(lines[last], CodePart{p.Class, text})
			}
		}
	}
	return withoutEnd(lines), nil
}

// coloured returns the parts of a text, and what of it is left.
func coloured(ctx context.Context, l chroma.Lexer, text string) (parts []CodePart, rest string) {
	ctx, stop := context.WithTimeout(ctx, colouredTime)
	defer stop()
	rest = text
	// An iterator has no other way to say that it can't go on.
	defer func() { _ = recover() }()
	next, err := l.Tokenise(&chroma.TokeniseOptions{State: "root"}, text)
	if err != nil {
		return nil, text
	}
	for t := next(); t != chroma.EOF && ctx.Err() == nil; t = next() {
		left, is := strings.CutPrefix(rest, t.Value)
		if !is { // a lexer may end the last line
			break
		}
		parts, rest = append(parts, CodePart{classOf(t.Type), t.Value}), left
	}
	return parts, rest
}

// classOf is how a sort of token looks.
func classOf(t chroma.TokenType) string {
	switch {
	case t.InCategory(chroma.Comment):
		return "code-comment"
	case t.InCategory(chroma.Keyword):
		return "code-keyword"
	case t.InSubCategory(chroma.LiteralString):
		return "code-text"
	case t.InSubCategory(chroma.LiteralNumber), t.InSubCategory(chroma.KeywordConstant):
		return "code-number"
	case t == chroma.NameTag:
		return "code-name"
	}
	return ""
}

func plainLines(text string) []CodeLine {
	var lines []CodeLine
	for line := range strings.SplitSeq(text, "\n") {
		var parts CodeLine
		if line = strings.TrimSuffix(line, "\r"); line != "" {
			parts = CodeLine{{Text: line}}
		}
		lines = append(lines, parts)
	}
	return withoutEnd(lines)
}

// withoutEnd takes the line off that is behind the end of the last one.
func withoutEnd(lines []CodeLine) []CodeLine {
	if n := len(lines) - 1; n > 0 && len(lines[n]) == 0 {
		return lines[:n]
	}
	return lines
}

// LineAnchor is what leads to a line of a Code in an address.
func LineAnchor(line int) string { return "L" + strconv.Itoa(line) }
