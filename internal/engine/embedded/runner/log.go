package runner

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/engine"
)

// userLog bounds what one run logs.
type userLog struct {
	out    *output
	limits engine.Limits
	lines  int
}

// Line passes a line on, cut when it is too long. The line after the last
// allowed one says that the log is full; more are dropped.
func (l *userLog) Line(level engine.Level, text string) {
	switch {
	case l.lines > l.limits.LogLines:
		return
	case l.lines == l.limits.LogLines:
		level, text = engine.LevelWarn, fmt.Sprintf("the log is full: it has %d lines; what follows is dropped", l.limits.LogLines)
	default:
		text = cut(text, l.limits.LogLineBytes)
	}
	l.lines++
	l.out.line(time.Now(), level, text)
}

// Tick passes on what has waited long enough.
func (l *userLog) Tick() { l.out.tick() }

// Flush passes on what waits.
func (l *userLog) Flush() { l.out.flush() }

// cut shortens a text to at most n bytes, the mark that says so included.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	mark := fmt.Sprintf("… (cut, %d bytes)", len(text))
	keep := max(0, n-len(mark))
	for keep > 0 && !utf8.RuneStart(text[keep]) {
		keep--
	}
	if len(mark) > n {
		return ""
	}
	return text[:keep] + mark
}
