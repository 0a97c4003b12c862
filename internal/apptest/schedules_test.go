package apptest_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// A server whose clock runs through a leap year fires each schedule at the times
// that its place's clock names, the gap and the doubled hour included, once each.
func TestSchedulesThroughALeapYear(t *testing.T) {
	t.Parallel()
	begin := time.Date(2028, 2, 20, 0, 0, 0, 0, time.UTC)
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	ahead.Store(int64(time.Until(begin)))
	s := apptest.Start(t, apptest.Options{Now: now})
	d := deployCode(t, s, "year", `
		const handler = (ctx, event) => event.scheduledTime;
		builtin.triggers.onCron({ expression: "30 2 29 2,10 *", timezone: "Europe/Berlin", handler });
		builtin.triggers.onCron({ expression: "30 2 26 MAR *", timezone: "Europe/Berlin", handler });
		builtin.triggers.onCron({ expression: "30 1,2 12 3 *", timezone: "America/New_York", handler });
		builtin.triggers.onCron({ expression: "30 1,2 5 11 *", timezone: "America/New_York", handler });
		builtin.triggers.onCron({ expression: "15 30 0 29 2 ?", handler });`)
	want := []string{
		"2028-02-29T00:30:15.000Z", "2028-02-29T01:30:00.000Z",
		"2028-03-12T06:30:00.000Z", "2028-03-12T07:00:00.000Z", // 2:30 is left out in New York, and comes when the clock goes on
		"2028-03-26T01:00:00.000Z",                             // so it is in Berlin
		"2028-10-29T00:30:00.000Z",                             // 2:30 comes twice there, and counts the first time
		"2028-11-05T05:30:00.000Z", "2028-11-05T07:30:00.000Z", // 1:30 comes twice in New York
	}
	fired := func() (times []string) {
		for _, e := range executionsOf(t, s, d.WorkflowID) {
			times = append(times, e["plannedAt"].(string))
			planned, received := instantOf(t, e["plannedAt"]), instantOf(t, e["receivedAt"])
			if received.Before(planned) {
				t.Errorf("the run for %v was made at %v", planned, received)
			}
		}
		slices.Reverse(times)
		return times
	}
	for i, next := range want {
		ahead.Add(int64(instantOf(t, next).Add(-100 * time.Millisecond).Sub(now())))
		apptest.Until(t, 30*time.Second, "a run for "+next, func() bool { return len(fired()) > i })
	}
	ahead.Add(int64(time.Date(2029, 3, 1, 0, 0, 0, 0, time.UTC).Sub(now()))) // nothing more before
	if got := fired(); !slices.Equal(got, want) {
		t.Errorf("the schedules fired at\n%v, want\n%v", got, want)
	}
	for _, e := range executionsOf(t, s, d.WorkflowID) {
		wantResult(t, s.Ended(t, e["id"].(string)), fmt.Sprintf("%q", e["plannedAt"]))
	}
}

func instantOf(t *testing.T, text any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, fmt.Sprint(text))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
