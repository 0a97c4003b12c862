package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// quiet is how long an equal entry is not recorded again, so that somebody
	// who is refused a thousand times leaves one entry a minute.
	quiet = time.Minute
	// maxRemembered bounds the entries that are remembered for that.
	maxRemembered = 10_000
)

// Recorder records what changes nothing else: refusals, and logins that failed.
// Safe for concurrent use.
type Recorder struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger

	mu   sync.Mutex
	last map[sameness]time.Time
}

// sameness is what makes two entries equal.
type sameness struct {
	actor   string
	address string
	action  Action
	outcome Outcome
	target  Target
}

// Record appends an entry by the actor of ctx, unless an equal one was recorded
// within the last minute. What can't be recorded is logged: the caller has
// refused already, and nothing is lost but the note.
func (r *Recorder) Record(ctx context.Context, e Entry) {
	e.Actor = ActorOf(ctx)
	if !r.fresh(e) {
		return
	}
	if err := r.Store.AppendAudit(ctx, e); err != nil {
		r.Log.ErrorContext(ctx, "an audit entry was not recorded", "action", e.Action, "error", err)
	}
}

func (r *Recorder) fresh(e Entry) bool {
	same := sameness{actor: e.Actor.Kind + e.Actor.ID.String(), address: e.Actor.Address, action: e.Action, outcome: e.Outcome, target: e.Target}
	now := r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.last[same]; ok && now.Sub(last) < quiet {
		return false
	}
	if r.last == nil || len(r.last) >= maxRemembered {
		r.last = make(map[sameness]time.Time)
	}
	r.last[same] = now
	return true
}
