package execution

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
)

const (
	// firstFlush is how long the first line waits for company: the lines of a
	// short run are then stored together with its end, in one unit.
	firstFlush = 2 * time.Millisecond
	// nextFlush is the shortest time between two flushes of one run.
	nextFlush = 20 * time.Millisecond
	// flushRetry is the time between two tries while the store does not answer.
	flushRetry = 250 * time.Millisecond
	// logBuffer is how many bytes may wait to be stored before the run is held
	// up.
	logBuffer = 4 << 20
	// lineOverhead is what a line counts beside its text.
	lineOverhead = 32
	// chunkBytes bounds one stored part of a log.
	chunkBytes   = 256 << 10
	flushTimeout = 10 * time.Second
)

// logWriter stores the lines of one attempt as they come. Lines that were not
// stored when the attempt ended are handed over by close, to be stored with the
// end itself.
type logWriter struct {
	s     *Service
	claim *Claim
	// abort ends the run when its lease is lost.
	abort context.CancelCauseFunc

	mu      sync.Mutex
	changed *sync.Cond
	lines   []engine.LogLine
	bytes   int
	// first is the number of the first line in lines.
	first    int
	timer    *time.Timer
	flushing bool
	closed   bool
	lost     bool
}

func newLogWriter(s *Service, c *Claim, abort context.CancelCauseFunc) *logWriter {
	w := &logWriter{s: s, claim: c, abort: abort, first: 1}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// write takes lines, and holds the run up while too many wait.
func (w *logWriter) write(lines []engine.LogLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.bytes > logBuffer && !w.lost && !w.closed {
		w.changed.Wait()
	}
	if w.lost || w.closed {
		return
	}
	for _, l := range lines {
		w.bytes += len(l.Message) + lineOverhead
	}
	w.lines = append(w.lines, lines...)
	w.schedule(firstFlush)
}

// schedule arms the timer unless a flush is on its way. w.mu is held.
func (w *logWriter) schedule(d time.Duration) {
	if w.flushing || w.closed || w.timer != nil || len(w.lines) == 0 {
		return
	}
	w.timer = time.AfterFunc(d, w.flush)
}

// flush stores what waits, one part at a time.
func (w *logWriter) flush() {
	w.mu.Lock()
	w.timer = nil
	if w.closed || w.flushing || len(w.lines) == 0 {
		w.mu.Unlock()
		return
	}
	w.flushing = true
	chunk, bytes := w.head()
	w.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	err := w.s.Store.AppendLog(ctx, w.claim.Lease, chunk)
	cancel()
	if err == nil {
		w.s.signal(w.claim.ExecutionID)
		w.s.Listener.Logged(w.claim, chunk)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushing = false
	switch {
	case err == nil:
		w.lines = w.lines[len(chunk.Lines):]
		w.first += len(chunk.Lines)
		w.bytes -= bytes
		w.schedule(nextFlush)
	case errors.Is(err, ErrLeaseLost):
		w.lost = true
		w.abort(ErrLeaseLost)
	default:
		// The lines stay; storing the same part twice is harmless.
		w.s.Log.Error("log lines could not be stored; trying again", "execution", w.claim.ExecutionID, "error", err)
		w.schedule(flushRetry)
	}
	w.changed.Broadcast()
}

// head returns the first lines that make one part, and their bytes. w.mu is
// held.
func (w *logWriter) head() (LogChunk, int) {
	bytes, n := 0, 0
	for n < len(w.lines) && (n == 0 || bytes < chunkBytes) {
		bytes += len(w.lines[n].Message) + lineOverhead
		n++
	}
	return LogChunk{First: w.first, Lines: w.lines[:n:n]}, bytes
}

// close waits for a flush that is on its way and returns what was not stored,
// nil when nothing is left. Nothing is taken after it.
func (w *logWriter) close() *LogChunk {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	for w.flushing {
		w.changed.Wait()
	}
	if w.lost || len(w.lines) == 0 {
		return nil
	}
	return &LogChunk{First: w.first, Lines: w.lines}
}
