package workflow

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/fault"
)

func TestRetryWaits(t *testing.T) {
	t.Parallel()
	doubling := Retry{Attempts: 6, Delay: time.Second, MaxDelay: 5 * time.Second}
	fixed := Retry{Attempts: 4, Fixed: true, Delay: 2 * time.Second, MaxDelay: time.Minute}
	jitter := Retry{Attempts: 3, Delay: 4 * time.Second, MaxDelay: time.Minute, Jitter: true}
	for _, tc := range []struct {
		name   string
		retry  Retry
		failed int
		chance float64
		want   time.Duration
		again  bool
	}{
		{"nothing follows", Retry{}, 1, 0, 0, false},
		{"one attempt", Retry{Attempts: 1}, 1, 0, 0, false},
		{"the first wait", doubling, 1, 0, time.Second, true},
		{"doubled", doubling, 3, 0, 4 * time.Second, true},
		{"bounded", doubling, 5, 0, 5 * time.Second, true},
		{"given up", doubling, 6, 0, 0, false},
		{"fixed", fixed, 3, 0.9, 2 * time.Second, true},
		{"jitter at its least", jitter, 1, 0, 4 * time.Second, true},
		{"jitter at its most", jitter, 2, 1, 4 * time.Second, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, again := tc.retry.After(tc.failed, tc.chance)
			if got != tc.want || again != tc.again {
				t.Errorf("wait %v, again %v; want %v, %v", got, again, tc.want, tc.again)
			}
		})
	}
}

// Whatever passes the check waits within its bounds, and ends.
func TestRetryEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		delay := func(name string) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(MaxRetryDelay)).Draw(r, name))
		}
		retry := Retry{
			Attempts: rapid.IntRange(1, MaxRetryAttempts).Draw(r, "attempts"), Fixed: rapid.Bool().Draw(r, "fixed"),
			Delay: delay("delay"), MaxDelay: delay("max delay"), Jitter: rapid.Bool().Draw(r, "jitter"),
		}
		if retry.Check() != nil {
			r.Skip("out of bounds")
		}
		failed := 0
		for {
			failed++
			wait, again := retry.After(failed, rapid.Float64Range(0, 1).Draw(r, "chance"))
			if !again {
				break
			}
			if wait < 0 || wait > retry.MaxDelay {
				r.Fatalf("wait of %v after %d failures of %+v", wait, failed, retry)
			}
		}
		if failed != retry.Attempts {
			r.Fatalf("gave up after %d attempts, want %d", failed, retry.Attempts)
		}
	})
}

func TestRetryCheck(t *testing.T) {
	t.Parallel()
	for name, retry := range map[string]Retry{
		"no attempts":        {Delay: time.Second, MaxDelay: time.Second},
		"too many":           {Attempts: 101},
		"negative wait":      {Attempts: 2, Delay: -1},
		"longest below wait": {Attempts: 2, Delay: 2, MaxDelay: 1},
		"longer than a day":  {Attempts: 2, Delay: 1, MaxDelay: 25 * time.Hour},
	} {
		if err := retry.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want an invalid fault", name, err)
		}
	}
}
