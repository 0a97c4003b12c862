package runner

import (
	"io"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
)

// Log lines wait until there are many, or for a moment, so that a short run
// sends its lines and its result in one piece.
const (
	flushBytes = 32 << 10
	flushAfter = 2 * time.Millisecond
)

// output writes frames.
type output struct {
	to io.Writer
	// buf holds what is not written yet; a log frame is open from mark on,
	// unless mark is negative.
	buf  []byte
	mark int
	// first is when the oldest line that waits was logged.
	first time.Time
	err   error
}

func newOutput(to io.Writer) *output { return &output{to: to, mark: -1} }

// line adds a log line.
func (o *output) line(at time.Time, level engine.Level, text string) {
	if o.mark < 0 {
		o.buf, o.mark = bridge.Begin(o.buf, bridge.KindLog)
		o.first = at
	}
	o.buf = bridge.AppendLine(o.buf, at, level, text)
	if len(o.buf) >= flushBytes || at.Sub(o.first) >= flushAfter {
		o.flush()
	}
}

// tick writes lines that have waited long enough.
func (o *output) tick() {
	if o.mark >= 0 && time.Since(o.first) >= flushAfter {
		o.flush()
	}
}

// send writes the frame that appendTo appends, after all that waits.
func (o *output) send(appendTo func([]byte) []byte) error {
	o.close()
	o.buf = appendTo(o.buf)
	o.flush()
	return o.err
}

// close ends the log frame that is open.
func (o *output) close() {
	if o.mark >= 0 {
		o.buf, o.mark = bridge.End(o.buf, o.mark), -1
	}
}

// flush writes all that waits.
func (o *output) flush() {
	o.close()
	if len(o.buf) == 0 {
		return
	}
	if _, err := o.to.Write(o.buf); err != nil && o.err == nil {
		o.err = err
	}
	if o.buf = o.buf[:0]; cap(o.buf) > 4*flushBytes {
		o.buf = nil
	}
}
