package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// find returns a page of executions, and whether there is more.
func (w *World) find(f execution.FindFilter) ([]id.ID, bool) {
	w.t.Helper()
	found, err := w.FindExecutions(w.ctx(), f)
	w.must(err)
	var ids []id.ID
	for _, e := range found.Executions {
		ids = append(ids, e.ID)
	}
	return ids, found.More
}

// walked finds all that a filter selects, in pages of two executions, and goes the
// same way back.
func (w *World) walked(f execution.FindFilter) []id.ID {
	w.t.Helper()
	f.Limit = 2
	var all []id.ID
	for more := true; more; {
		var page []id.ID
		if page, more = w.find(f); len(page) == 0 {
			break
		}
		all = append(all, page...)
		f.Before = page[len(page)-1]
	}
	var back []id.ID
	f.Before, f.After = id.ID{}, id.ID{15: 1}
	for more := true; more; {
		var page []id.ID
		if page, more = w.find(f); len(page) == 0 {
			break
		}
		back = append(page, back...)
		f.After = page[0]
	}
	equal(w.t, fmt.Sprintf("the way back of %+v", f), back, all)
	return all
}

func testFind(t *testing.T, w *World) {
	n := w.Namespace()
	f, triggers := w.Deployed(n)
	mine := []id.ID{n.OrganizationID}
	began := w.Now()
	var failed, all []id.ID
	for range 3 {
		w.Pass(time.Minute)
		all = append(all, w.end(triggers[0], execution.Completed))
		x := w.end(triggers[0], execution.Failed)
		all, failed = append(all, x), append(failed, x)
	}
	slices.Reverse(all)
	slices.Reverse(failed)
	since, until := began.Add(2*time.Minute), began.Add(3*time.Minute)
	one, err := w.Execution(w.ctx(), mine, all[0])
	w.must(err)
	for _, c := range []struct {
		filter execution.FindFilter
		want   []id.ID
	}{
		{execution.FindFilter{}, all},
		{execution.FindFilter{Since: &since}, all[:4]},
		{execution.FindFilter{Until: &until}, all[2:]},
		{execution.FindFilter{Since: &since, Until: &until}, all[2:4]},
		{execution.FindFilter{WorkflowID: f.ID, State: execution.Failed, Since: &since}, failed[:2]},
		{execution.FindFilter{TriggerType: one.Origin.TriggerType}, all},
		{execution.FindFilter{TriggerType: "none"}, nil},
		{execution.FindFilter{Contains: "nowhere"}, nil},
		{execution.FindFilter{Contains: strings.ToUpper(one.Origin.Path[2:])}, all},
	} {
		c.filter.Organizations = mine
		equal(t, fmt.Sprintf("found by %+v", c.filter), w.walked(c.filter), c.want)
	}
	late, err := w.FindExecutions(w.ctx(), execution.FindFilter{Organizations: mine, Contains: "nowhere", Limit: 2, Deadline: w.Now().Add(-time.Second)})
	w.must(err)
	equal(t, "more after its time", late.More, true)
	equal(t, "reached in its time", late.Reached, all[2])
	w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
	equal(t, "found of a workflow that is gone", w.walked(execution.FindFilter{Organizations: mine}), nil)
}

// testFindLines compares pages of a log with those that are worked out here. The
// parts of the log overlap.
func testFindLines(t *testing.T, w *World) {
	_, triggers := w.Deployed(w.Namespace())
	claim := w.Run(triggers[0])
	var all []execution.LogEntry
	note := func(attempt, number int) engine.LogLine {
		l := engine.LogLine{Time: w.Now(), Level: engine.LevelLog, Message: fmt.Sprintf("Line %d", number)}
		if number%3 == 0 {
			l.Level = engine.LevelError
		}
		all = append(all, execution.LogEntry{ExecutionID: claim.ExecutionID, Cursor: execution.Cursor{Attempt: attempt, Line: number}, LogLine: l})
		return l
	}
	for first := 1; first < 40; first += 7 {
		chunk := execution.LogChunk{First: max(1, first-2)}
		for n := chunk.First; n < first; n++ {
			chunk.Lines = append(chunk.Lines, all[n-1].LogLine)
		}
		for n := first; n < first+7; n++ {
			chunk.Lines = append(chunk.Lines, note(1, n))
		}
		w.must(w.AppendLog(w.ctx(), claim.Lease, chunk))
	}
	for _, f := range []execution.LineFilter{{Limit: 100}, {Limit: 5}, {Limit: 5, Contains: "LINE 3"}, {Limit: 3, Level: engine.LevelError}, {Limit: 7, Contains: "no"}, {Limit: 9, Bytes: 14}} {
		var want []execution.LogEntry
		for _, e := range all {
			if f.Takes(e.LogLine) {
				want = append(want, e)
			}
		}
		for _, first := range []bool{true, false} {
			f.First, f.After, f.Before = first, execution.Cursor{}, execution.Cursor{}
			var got []execution.LogEntry
			for more := true; more; {
				page, err := w.FindLines(w.ctx(), claim.ExecutionID, f)
				w.must(err)
				switch {
				case len(page.Entries) == 0:
				case first:
					got, f.First, f.After = append(got, page.Entries...), false, page.Entries[len(page.Entries)-1].Cursor
				default:
					got, f.Before = append(page.Entries, got...), page.Entries[0].Cursor
				}
				more = page.More
			}
			equal(t, fmt.Sprintf("lines by %+v", f), got, want)
		}
	}
	late, err := w.FindLines(w.ctx(), claim.ExecutionID, execution.LineFilter{Contains: "no", Limit: 1, Deadline: w.Now().Add(-time.Second)})
	w.must(err)
	equal(t, "lines after its time", late, execution.Lines{More: true, Reached: execution.Cursor{Attempt: 1, Line: 34}})
}
