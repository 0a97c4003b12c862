package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// received is the body of an answer. It ends when nothing comes.
type received struct {
	io.ReadCloser
	stall  *time.Timer
	cancel context.CancelCauseFunc
	// long is one whose time counts between reads alone.
	long bool
	idle time.Duration
}

func (r *received) Read(p []byte) (int, error) {
	if !r.long {
		return r.ReadCloser.Read(p)
	}
	r.stall.Reset(r.idle)
	n, err := r.ReadCloser.Read(p)
	r.stall.Stop() // whoever reads may be slow
	return n, err
}

func (r *received) Close() error {
	r.stall.Stop()
	r.cancel(nil)
	return r.ReadCloser.Close()
}

// sent is the body of a client on its way to the upstream.
type sent struct {
	body io.Reader
	// got is told how much has come.
	got func(bytes int)
	// stall ends the request when the upstream takes nothing.
	stall *time.Timer
	times times
	// reading is held by whoever reads: the client's body must not be read once
	// its request was answered.
	reading     sync.Mutex
	begun, over atomic.Bool
}

var errOver = errors.New("the request was answered before its body was read")

func (s *sent) Read(p []byte) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.over.Load() {
		return 0, errOver
	}
	s.begun.Store(true)
	s.stall.Stop() // the client's time is counted elsewhere
	n, err := s.body.Read(p)
	s.got(n)
	if err == nil {
		s.stall.Reset(s.times.idle)
	} else {
		s.stall.Reset(s.times.finishing)
	}
	return n, err
}

// Close leaves the client's body to the server.
func (s *sent) Close() error { return nil }

func (s *sent) began() bool { return s.begun.Load() }

// again returns the body for another connection, as long as nothing of it was
// sent.
func (s *sent) again() (io.ReadCloser, error) {
	if s.began() {
		return nil, errOver
	}
	return s, nil
}

// finish returns when nobody reads the client's body any more.
func (s *sent) finish(w http.ResponseWriter) {
	s.over.Store(true)
	if !s.reading.TryLock() {
		// Somebody waits for a client that has nothing to say, or is about to return.
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
		s.reading.Lock()
	}
	s.reading.Unlock()
}
