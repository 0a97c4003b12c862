package execution

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A step is a tenth off what was measured, at most, and longer runs have no
// smaller one.
func TestStepsAreNear(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, 3_600_000).Draw(r, "ms")) * time.Millisecond
		got := StepOf(d).Duration()
		if off := float64(got-d) / float64(d); off > 0.1 || off < -0.1 {
			r.Fatalf("%s is taken for %s", d, got)
		}
		if longer := StepOf(d + time.Millisecond); longer < StepOf(d) {
			r.Fatalf("%s has a greater step than what took longer", d)
		}
	})
}

// What a share of the runs took is found by counting, wherever they lie.
func TestShares(t *testing.T) {
	t.Parallel()
	of := func(times ...time.Duration) (s spread) {
		for _, d := range times {
			s = s.add(HourCount{State: Completed, Step: StepOf(d), Count: 1})
		}
		return s
	}
	var many []time.Duration
	for range 95 {
		many = append(many, 4*time.Millisecond)
	}
	for range 5 {
		many = append(many, 10*time.Second)
	}
	for name, c := range map[string]struct {
		times         []time.Duration
		median, other time.Duration
	}{
		"one":                {[]time.Duration{4 * time.Millisecond}, 4 * time.Millisecond, 4 * time.Millisecond},
		"one in 20 is slow":  {many, 4 * time.Millisecond, 4 * time.Millisecond},
		"more than that":     {append(many, 10*time.Second), 4 * time.Millisecond, StepOf(10 * time.Second).Duration()},
		"less than anything": {[]time.Duration{0, 0, 0}, 0, 0},
	} {
		s := of(c.times...).spell(time.Time{})
		if *s.Median != c.median || *s.Slowest != c.other || s.Runs != len(c.times) {
			t.Errorf("%s: %s and %s of %d", name, *s.Median, *s.Slowest, s.Runs)
		}
	}
	if s := of().spell(time.Time{}); s.Median != nil || s.Slowest != nil {
		t.Errorf("of no runs: %+v", s)
	}
}
