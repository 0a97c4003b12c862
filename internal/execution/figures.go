package execution

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Period is how far back Figures go, and in how many parts.
type Period struct {
	Name  string
	Part  time.Duration
	Parts int
}

// Periods are those that figures are made for.
func Periods() []Period {
	return []Period{{"24h", time.Hour, 24}, {"7d", 6 * time.Hour, 28}, {"30d", 24 * time.Hour, 30}}
}

// Spell is what was received in a part of a period and has ended.
type Spell struct {
	From time.Time
	// Runs are those that ran to an end of their own, Failed those of them that
	// failed or took too long.
	Runs, Failed int
	// Median and Slowest are about how long half and 19 of 20 of the runs took at
	// most; nil without runs.
	Median, Slowest *time.Duration
}

// Figures sum up a workflow.
type Figures struct {
	// Parts are in their order, Whole is all of them.
	Parts []Spell
	Whole Spell
}

// Figures sums up a workflow's executions of a period that ends now.
func (s *Service) Figures(ctx context.Context, workflow id.ID, p Period) (Figures, error) {
	first := s.Now().UTC().Truncate(p.Part).Add(-time.Duration(p.Parts-1) * p.Part)
	counts, err := s.Store.HourSteps(ctx, workflow, first)
	if err != nil {
		return Figures{}, err
	}
	whole, parts := spread{}, make([]spread, p.Parts)
	for _, c := range counts {
		at := int(c.Hour.Sub(first) / p.Part)
		if at >= p.Parts || c.State != Completed && !c.State.bad() {
			continue
		}
		parts[at] = parts[at].add(c)
		whole = whole.add(c)
	}
	m := Figures{Whole: whole.spell(first), Parts: make([]Spell, p.Parts)}
	for i, part := range parts {
		m.Parts[i] = part.spell(first.Add(time.Duration(i) * p.Part))
	}
	return m, nil
}

// spread is how many runs took how long.
type spread struct {
	runs, failed int
	steps        map[Step]int
}

func (s spread) add(c HourCount) spread {
	if s.steps == nil {
		s.steps = map[Step]int{}
	}
	s.runs += c.Count
	s.steps[c.Step] += c.Count
	if c.State.bad() {
		s.failed += c.Count
	}
	return s
}

func (s spread) spell(from time.Time) Spell {
	return Spell{From: from, Runs: s.runs, Failed: s.failed, Median: s.within(0.5), Slowest: s.within(0.95)}
}

// within is what a share of the runs took at most; nil without runs.
func (s spread) within(share float64) *time.Duration {
	seen := 0
	for _, step := range slices.Sorted(maps.Keys(s.steps)) {
		seen += s.steps[step]
		if float64(seen) >= share*float64(s.runs) {
			d := step.Duration()
			return &d
		}
	}
	return nil
}
