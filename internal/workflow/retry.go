package workflow

import (
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// Bounds of a Retry.
const (
	MaxRetryAttempts = 100
	MaxRetryDelay    = 24 * time.Hour
)

// What a Retry that says only how many attempts there are waits.
const (
	DefaultRetryDelay    = time.Second
	DefaultMaxRetryDelay = 5 * time.Minute
)

// Retry says what follows an attempt that failed by its own doing. The zero
// Retry lets nothing follow.
type Retry struct {
	// Attempts is how many attempts may fail, the first one included.
	Attempts int
	// Fixed has every wait last for Delay; otherwise each is twice the one
	// before, up to MaxDelay.
	Fixed           bool
	Delay, MaxDelay time.Duration
	// Jitter takes up to half of each wait away, by chance, so that what failed
	// together does not come back together.
	Jitter bool
}

// Check returns a fault of kind Invalid when the values are out of bounds.
func (r Retry) Check() error {
	switch {
	case r == Retry{}:
		return nil
	case r.Attempts < 1 || r.Attempts > MaxRetryAttempts:
		return fault.New(fault.Invalid, "retry.attempts is %d; it must be 1 to %d", r.Attempts, MaxRetryAttempts)
	case r.Delay < 0 || r.Delay > MaxRetryDelay:
		return fault.New(fault.Invalid, "retry.delay is %v; it must be 0 to %d seconds", r.Delay, int(MaxRetryDelay.Seconds()))
	case r.MaxDelay < r.Delay || r.MaxDelay > MaxRetryDelay:
		return fault.New(fault.Invalid, "retry.maxDelay is %v; it must be at least retry.delay (%v) and at most %d seconds", r.MaxDelay, r.Delay, int(MaxRetryDelay.Seconds()))
	}
	return nil
}

// After returns how long to wait after so many failed attempts, and whether
// another attempt follows. Chance is from 0 to 1.
func (r Retry) After(failed int, chance float64) (time.Duration, bool) {
	if failed >= r.Attempts {
		return 0, false
	}
	wait := r.Delay
	for n := 1; n < failed && !r.Fixed && wait < r.MaxDelay; n++ {
		wait *= 2
	}
	wait = min(wait, r.MaxDelay)
	if r.Jitter {
		wait -= time.Duration(chance * float64(wait) / 2)
	}
	return wait, true
}
