package execution

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// MaxSummaryDays is how many days a summary goes back.
const MaxSummaryDays = 365

// SummaryFilter says which executions are summed up.
type SummaryFilter struct {
	OrganizationID id.ID
	NamespaceID    id.ID
	// Since is the beginning of the first UTC day.
	Since time.Time
}

// DayCount is how many executions that were received on a day are in a state.
type DayCount struct {
	// Day is the beginning of the UTC day.
	Day   time.Time
	State State
	Count int
}

// Day is the executions that were received on one UTC day.
type Day struct {
	Day time.Time
	// Counts are by state; states that none is in are absent.
	Counts map[State]int
}

// Summary counts the executions of a namespace on each of the last days, today
// included, in their order.
func (s *Service) Summary(ctx context.Context, organization, namespace id.ID, days int) ([]Day, error) {
	const day = 24 * time.Hour
	today := s.Now().UTC().Truncate(day)
	all := make([]Day, days)
	for i := range all {
		all[i] = Day{Day: today.Add(-time.Duration(days-1-i) * day), Counts: map[State]int{}}
	}
	counts, err := s.Store.DailyCounts(ctx, SummaryFilter{OrganizationID: organization, NamespaceID: namespace, Since: all[0].Day})
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		// What clocks of other servers call tomorrow is left out.
		if i := int(c.Day.Sub(all[0].Day) / day); i < len(all) {
			all[i].Counts[c.State] += c.Count
		}
	}
	return all, nil
}
