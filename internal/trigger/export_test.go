package trigger

import (
	"context"
	"time"
)

// Look takes the turns that are due now.
func (s *Scheduler) Look(ctx context.Context) time.Duration { return s.look(ctx) }

// Bound keeps at most so many webhooks.
func (r *Routes) Bound(most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bound(most)
}
