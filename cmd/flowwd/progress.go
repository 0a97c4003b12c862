package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
)

// progress shows on a terminal how far something has come, one line for each
// table. It shows nothing on anything else.
type progress struct {
	out   io.Writer // nil when it is no terminal
	shown time.Time
	open  bool // a line has been begun
}

// progressEvery is how often the line is written anew.
const progressEvery = 200 * time.Millisecond

func newProgress(out io.Writer) *progress {
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &progress{out: out}
		}
	}
	return &progress{}
}

// report is a moving.Report.
func (p *progress) report(table string, rows int64, done bool) {
	if p.out == nil || !done && time.Since(p.shown) < progressEvery {
		return
	}
	p.shown, p.open = time.Now(), !done
	fmt.Fprintf(p.out, "\r\x1b[K%-20s %s rows", table, humanize.Comma(rows))
	if done {
		fmt.Fprintln(p.out)
	}
}

// end ends a line that was left open.
func (p *progress) end() {
	if p.open {
		p.open = false
		fmt.Fprintln(p.out)
	}
}
