package runner

import (
	"io"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
)

// Log lines wait until there are many, or for a moment, so that a short run
// sends its lines and its result in one piece.
const (
	flushBytes = 32 << 10
	flushAfter = time.Millisecond
)

// output writes frames. Safe for concurrent use.
type output struct {
	to io.Writer

	mu sync.Mutex
	// buf holds what is not written yet; a log frame is open from mark on,
	// unless mark is negative.
	buf   []byte
	mark  int
	timer *time.Timer
	armed bool
	err   error
}

func newOutput(to io.Writer) *output {
	o := &output{to: to, mark: -1}
	o.timer = time.AfterFunc(time.Hour, o.expire)
	o.timer.Stop()
	return o
}

// line adds a log line.
func (o *output) line(at time.Time, level engine.Level, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mark < 0 {
		o.buf, o.mark = bridge.Begin(o.buf, bridge.KindLog)
	}
	o.buf = bridge.AppendLine(o.buf, at, level, text)
	switch {
	case len(o.buf) >= flushBytes:
		o.flush()
	case !o.armed:
		o.armed = true
		o.timer.Reset(flushAfter)
	}
}

// Flush writes the log lines that wait.
func (o *output) Flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

func (o *output) expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.armed = false
	o.flush()
}

// send writes the frame that appendTo appends, after all that waits.
func (o *output) send(appendTo func([]byte) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.close()
	o.buf = appendTo(o.buf)
	o.flush()
	if o.armed && o.timer.Stop() {
		o.armed = false
	}
	return o.err
}

// close ends the log frame that is open.
func (o *output) close() {
	if o.mark >= 0 {
		o.buf, o.mark = bridge.End(o.buf, o.mark), -1
	}
}

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
