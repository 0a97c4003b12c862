//go:build external && linux

package faults

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// A clock that is set, forward or back, ends no run, stops no schedule for longer
// than it was set back, and doubles nothing.
func TestClockThatSteps(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	s := apptest.Start(t, apptest.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	d := s.Deploy(t, "clock", apptest.Handler(`await new Promise((r) => setTimeout(r, event.body.ms)); return ctx.attempt`))
	seen := map[string]bool{}
	for _, step := range []time.Duration{time.Hour, -2 * time.Hour, 24 * time.Hour, -23 * time.Hour} {
		under := d.Send(t, `{"ms":1500}`)
		ahead.Add(int64(step))
		// Whoever asked before a step back may ask again when his bucket has filled by
		// the new time.
		apptest.Until(t, 10*time.Second, "an answer that is not 429", func() bool {
			return s.Do(t, "GET", "/api/whoami", nil).Status == 200
		})
		for _, id := range []string{d.Send(t, `{"ms":1}`), under, d.Send(t, `{"ms":1}`, "Idempotency-Key", step.String())} {
			if e := s.Ended(t, id); e.Status != "completed" || e.Attempt != 1 || seen[id] {
				t.Errorf("after a step of %v a run is %s in attempt %d: %s", step, e.Status, e.Attempt, e.ErrorMessage)
			}
			seen[id] = true
		}
		if is, failed := ready(t, s.Client); !is {
			t.Errorf("after a step of %v the server is not ready: %v", step, failed)
		}
	}
}
