//go:build external

package replicas

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// together returns how many of these runs went on at the same time at most, by
// the begin and the end, in milliseconds, that each of them returned.
func together(t *testing.T, p *apptest.Process, runs []string) int {
	t.Helper()
	type change struct {
		at   int64
		runs int
	}
	var changes []change
	for _, x := range runs {
		e := p.Ended(t, x)
		var span [2]int64
		if err := json.Unmarshal(e.Result, &span); e.Status != "completed" || err != nil {
			t.Fatalf("a run is %s with %s: %s", e.Status, e.Result, e.ErrorMessage)
		}
		changes = append(changes, change{span[0], 1}, change{span[1], -1})
	}
	// In one millisecond, ends before begins.
	slices.SortFunc(changes, func(a, b change) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.runs - b.runs
	})
	now, most := 0, 0
	for _, c := range changes {
		now += c.runs
		most = max(most, now)
	}
	return most
}
