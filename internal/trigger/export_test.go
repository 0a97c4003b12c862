package trigger

import (
	"context"
	"time"
)

// Look takes the turns that are due now.
func (s *Scheduler) Look(ctx context.Context) time.Duration { return s.look(ctx) }
