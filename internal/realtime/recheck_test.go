package realtime

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

func rechecking(t *testing.T, p *transport) (r *Recheck, stop func()) {
	t.Helper()
	r = NewRecheck(p, slog.New(slog.DiscardHandler))
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, func() {
		if err := r.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func (p *transport) rechecks() []id.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := slices.Clone(p.rechecked)
	slices.SortFunc(found, func(a, b id.ID) int { return bytes.Compare(a[:], b[:]) })
	return found
}

func TestRecheckAsksOnceForEach(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		r, stop := rechecking(t, p)
		defer stop()
		r.Hear(nil, false)
		r.Hear([]id.ID{{1}, {2}, {1}}, false)
		synctest.Wait()
		if got := p.rechecks(); !slices.Equal(got, []id.ID{{1}, {2}}) {
			t.Errorf("decided anew about %v", got)
		}
	})
}

// What somebody lost is taken from them however long the realtime server is
// gone.
func TestRecheckGoesOnUntilItIsDone(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		p.set(func(context.Context, []byte) error { return errors.New("gone") })
		r, stop := rechecking(t, p)
		defer stop()
		r.Hear([]id.ID{{1}}, false)
		time.Sleep(time.Hour)
		r.Hear([]id.ID{{2}}, false)
		time.Sleep(time.Minute)
		p.set(nil)
		time.Sleep(2 * recheckRetry)
		if got := p.rechecks(); !slices.Equal(got, []id.ID{{1}, {2}}) {
			t.Errorf("decided anew about %v", got)
		}
	})
}

// Too many are decided about together with everybody; that fails and is tried
// again like the others.
func TestRecheckOfTooMany(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		p.set(func(context.Context, []byte) error { return errors.New("gone") })
		r, stop := rechecking(t, p)
		defer stop()
		for i := range maxRechecks + 1 {
			r.Hear([]id.ID{{1, byte(i), byte(i >> 8)}}, false)
		}
		time.Sleep(time.Minute)
		p.set(nil)
		time.Sleep(2 * recheckRetry)
		if got := p.rechecks(); len(got) == 0 || !got[0].IsZero() {
			t.Errorf("decided anew about %d principals, want everybody", len(got))
		}
	})
}
