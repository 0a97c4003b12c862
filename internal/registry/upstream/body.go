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
	// reading is held by whoever reads: the client's body must not be read once
	// its request was answered.
	reading sync.Mutex
	// begun says that some of it was read, and over that no more may be.
	begun bool
	over  atomic.Bool
	// last is the only one who may read.
	last *attempt
}

// attempt is one time of sending a body.
type attempt struct {
	*sent
	// stall ends it when the upstream takes nothing.
	stall *time.Timer
	times times
}

var errOver = errors.New("the request was answered before its body was read")

// attempt returns the body for a request, or for another one of which nothing was
// sent.
func (s *sent) attempt(stall *time.Timer, t times) (*attempt, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.begun {
		return nil, errOver
	}
	s.last = &attempt{sent: s, stall: stall, times: t}
	return s.last, nil
}

func (a *attempt) Read(p []byte) (int, error) {
	a.reading.Lock()
	defer a.reading.Unlock()
	if a.over.Load() || a.last != a {
		return 0, errOver
	}
	a.begun = true
	a.stall.Stop() // the client's time is counted elsewhere
	n, err := a.body.Read(p)
	a.got(n)
	if err == nil {
		a.stall.Reset(a.times.idle)
	} else {
		a.stall.Reset(a.times.finishing)
	}
	return n, err
}

// Close leaves the client's body to the server.
func (a *attempt) Close() error { return nil }

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
