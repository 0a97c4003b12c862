package limit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/limit"
)

// clock is moved by a test.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

// However the requests come, no more go through in any span of time than the
// burst and what the rate brings in the span; and whoever waits as long as it is
// told goes through.
func TestNeverMoreThanBurstAndRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		rate, burst := rapid.IntRange(1, 100).Draw(t, "rate"), rapid.IntRange(1, 100).Draw(t, "burst")
		l := limit.New[int](rate, burst, 0)
		passed := map[int][]time.Time{}
		for range rapid.IntRange(1, 300).Draw(t, "requests") {
			key := rapid.IntRange(0, 2).Draw(t, "key")
			c.now = c.now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 10, 1000}).Draw(t, "ms")) * time.Millisecond)
			empty := l.Empty(key, c.now)
			wait, ok := l.Take(key, c.now)
			if ok != (empty == 0) || ok != (wait == 0) {
				t.Fatalf("took one: %t, told to wait for %v, and for %v before", ok, wait, empty)
			}
			if !ok {
				c.now = c.now.Add(wait)
				if wait, ok = l.Take(key, c.now); !ok {
					t.Fatalf("told to wait, and then for %v again", wait)
				}
			}
			passed[key] = append(passed[key], c.now)
		}
		for key, at := range passed {
			for i := range at {
				for j := i; j < len(at); j++ {
					// A part of a second is a part of a token.
					if most := float64(burst) + at[j].Sub(at[i]).Seconds()*float64(rate) + 1e-6; float64(j-i+1) > most {
						t.Fatalf("key %d: %d went through in %v, at most %g should", key, j-i+1, at[j].Sub(at[i]), most)
					}
				}
			}
		}
	})
}

func TestBurstThenRate(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := limit.New[string](2, 3, 0)
	for i, step := range []struct {
		key  string
		pass time.Duration
		wait time.Duration
	}{
		{"a", 0, 0}, {"a", 0, 0}, {"a", 0, 0}, {"a", 0, 500 * time.Millisecond},
		{"b", 0, 0},
		{"a", 400 * time.Millisecond, 100 * time.Millisecond}, {"a", 100 * time.Millisecond, 0}, {"a", 0, 500 * time.Millisecond},
		{"a", time.Hour, 0}, {"a", 0, 0}, {"a", 0, 0}, {"a", 0, 500 * time.Millisecond},
		// A clock that was set back must not shut anybody out for longer.
		{"a", -time.Hour, 500 * time.Millisecond}, {"a", 500 * time.Millisecond, 0},
	} {
		c.now = c.now.Add(step.pass)
		if wait, ok := l.Take(step.key, c.now); wait != step.wait || ok != (step.wait == 0) {
			t.Errorf("step %d: %t, wait %v, want %v", i, ok, wait, step.wait)
		}
	}
}

// An attacker with many addresses must not fill the memory, nor get a fresh
// bucket by making others be forgotten.
func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	const keys = 1600
	l := limit.New[int](1, 100, keys)
	for range 100 {
		l.Take(-1, c.now)
	}
	for i := range 20 * keys {
		l.Take(i, c.now)
	}
	if n := l.Len(); n > keys {
		t.Errorf("%d keys are remembered, want at most %d", n, keys)
	}
	if _, ok := l.Take(-1, c.now); ok {
		t.Error("the one that has taken most was forgotten")
	}
	c.now = c.now.Add(time.Hour)
	for i := range keys {
		l.Take(i, c.now)
	}
	if n := l.Len(); n > keys {
		t.Errorf("%d keys are remembered, want at most %d", n, keys)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := limit.New[string](1, 50, 0)
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				l.Take(fmt.Sprint(i), c.now)
				if _, ok := l.Take("shared", c.now); ok {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := passed.Load(); n != 50 {
		t.Errorf("%d went through, want 50", n)
	}
}

func BenchmarkTake(b *testing.B) {
	l := limit.New[int](1_000_000, 10_000_000, 0)
	for i := 0; b.Loop(); i++ {
		l.Take(i%1000, time.Now())
	}
}
