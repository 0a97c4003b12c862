package pool

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Who waits gets a child more only when those of their organization do not come
// back soon.
func TestGrowth(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_800_000_000_000)
	ids := id.NewSource(func() time.Time { return now })
	one, other := ids.New(), ids.New()
	for name, c := range map[string]struct {
		crew    *crew
		waiters []waiter
		want    int
	}{
		"nobody waits":                      {crew: &crew{lent: 3, moved: now}},
		"the first ones":                    {waiters: make([]waiter, 5), want: 3},
		"one is left of those at once":      {crew: &crew{lent: 2, moved: now}, waiters: make([]waiter, 5), want: 1},
		"the others will come back":         {crew: &crew{lent: 3, moved: now}, waiters: make([]waiter, 5)},
		"they came back a moment ago":       {crew: &crew{lent: 3, moved: now.Add(-turn + 1)}, waiters: make([]waiter, 5)},
		"none comes back":                   {crew: &crew{lent: 3, moved: now.Add(-turn)}, waiters: make([]waiter, 5), want: 3},
		"none of many comes back":           {crew: &crew{lent: 12, moved: now.Add(-turn)}, waiters: make([]waiter, 20), want: 12},
		"all come back to others":           {crew: &crew{lent: 3, moved: now}, waiters: []waiter{{turns: turns}, {turns: turns}}, want: 1},
		"more memory than a child has":      {crew: &crew{lent: 3, moved: now}, waiters: []waiter{{memory: 2}}, want: 1},
		"another organization has none yet": {crew: &crew{lent: 3, moved: now}, waiters: []waiter{{owner: other}, {}}, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Config{AtOnce: 3, Memory: 1, Now: func() time.Time { return now }})
			if c.crew != nil {
				p.crews[one] = c.crew
			}
			for _, w := range c.waiters {
				if w.owner.IsZero() {
					w.owner = one
				}
				p.waiters = append(p.waiters, &w)
			}
			if got := len(p.growing()); got != c.want {
				t.Errorf("%d get a child more; %d should", got, c.want)
			}
		})
	}
}
