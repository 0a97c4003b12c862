package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// lines are all log lines of an execution, as "<attempt>-<line> <message>".
func (w *World) lines(of id.ID) []string {
	w.t.Helper()
	entries, err := w.Logs(w.ctx(), of, execution.Cursor{}, 1<<20)
	w.must(err)
	return texts(entries)
}

func texts(entries []execution.LogEntry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Cursor.String()+" "+e.Message)
	}
	return out
}

// said are log lines with these messages.
func (w *World) said(first int, messages ...string) execution.LogChunk {
	c := execution.LogChunk{First: first}
	for _, m := range messages {
		c.Lines = append(c.Lines, engine.LogLine{Time: w.Now(), Level: engine.LevelLog, Message: m})
	}
	return c
}

func testLogs(t *testing.T, backend Backend) {
	t.Run("lines are kept as they were", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		var lines []engine.LogLine
		for i, level := range []engine.Level{engine.LevelDebug, engine.LevelInfo, engine.LevelWarn, engine.LevelError, engine.LevelLog} {
			lines = append(lines, engine.LogLine{
				Time: w.Now().Add(time.Duration(i%3-1) * time.Hour), Level: level, Message: strings.Repeat("\x00ü\n\xff", i),
			})
		}
		w.must(w.AppendLog(w.ctx(), claim.Lease, execution.LogChunk{First: 1, Lines: lines}))
		got, err := w.Logs(w.ctx(), claim.ExecutionID, execution.Cursor{}, 10)
		w.must(err)
		for i, e := range got {
			equal(t, "line", e, execution.LogEntry{
				ExecutionID: claim.ExecutionID, Cursor: execution.Cursor{Attempt: 1, Line: i + 1}, LogLine: lines[i],
			})
		}
		equal(t, "lines", len(got), len(lines))
	})

	t.Run("a part comes twice", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		for _, chunk := range []execution.LogChunk{
			w.said(1, "a", "b"), w.said(1, "a", "b"), // the same again
			w.said(1, "a", "b", "c"),                       // again, with what came meanwhile
			w.said(1, "a"),                                 // an old one late
			w.said(4, "d"), w.said(5), w.said(3, "c", "d"), // overlapping
		} {
			w.must(w.AppendLog(w.ctx(), claim.Lease, chunk))
		}
		equal(t, "lines", w.lines(claim.ExecutionID), []string{"1-1 a", "1-2 b", "1-3 c", "1-4 d"})
		if err := w.AppendLog(w.ctx(), claim.Lease, w.said(0, "x")); err == nil {
			t.Error("a line with the number 0 was taken")
		}
	})

	t.Run("a reader goes on from where it was", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		var want []string
		for attempt := 1; attempt <= 3; attempt++ {
			for first := 1; first < 10; first += 3 {
				w.must(w.AppendLog(w.ctx(), claim.Lease, w.said(first, "x", "y", "z")))
			}
			for line := 1; line < 10; line++ {
				want = append(want, fmt.Sprintf("%d-%d %s", attempt, line, string("xyz"[(line-1)%3])))
			}
			_, err := w.InterruptExecution(w.ctx(), claim.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
			w.must(err)
			claim = w.Claim(1)[0]
		}
		for limit := 1; limit <= 28; limit += 4 {
			var got []string
			var after execution.Cursor
			for {
				page, err := w.Logs(w.ctx(), claim.ExecutionID, after, limit)
				w.must(err)
				if len(page) > limit {
					t.Fatalf("%d lines on a page for %d", len(page), limit)
				}
				if len(page) == 0 {
					break
				}
				got, after = append(got, texts(page)...), page[len(page)-1].Cursor
			}
			equal(t, fmt.Sprintf("lines in pages of %d", limit), got, want)
		}
		got, err := w.Logs(w.ctx(), claim.ExecutionID, execution.Cursor{Attempt: 2, Line: 99}, 2)
		w.must(err)
		equal(t, "behind the last line of an attempt", texts(got), []string{"3-1 x", "3-2 y"})
		got, err = w.Logs(w.ctx(), w.ID(), execution.Cursor{}, 2)
		w.must(err)
		equal(t, "lines of an unknown execution", len(got), 0)
	})

	t.Run("search", func(t *testing.T) {
		t.Parallel()
		testLogSearch(t, NewWorld(t, backend(t)))
	})
}

func testLogSearch(t *testing.T, w *World) {
	n := w.Namespace()
	f, triggers := w.Deployed(n)
	_, others := w.Deployed(n)
	run := func(of int, messages ...string) {
		claim := w.Run(triggers[0])
		if of == 1 {
			w.must(w.FinishExecution(w.ctx(), &claim, w.Outcome()))
			claim = w.Run(others[0])
		}
		chunk := w.said(1, messages...)
		chunk.Lines[0].Level = engine.LevelError
		w.must(w.AppendLog(w.ctx(), claim.Lease, execution.LogChunk{First: 1, Lines: chunk.Lines[:1]}))
		o := w.Outcome()
		o.Logs = &execution.LogChunk{First: 2, Lines: chunk.Lines[1:]}
		w.must(w.FinishExecution(w.ctx(), &claim, o))
	}
	run(0, "first ÄRGER", "100%", "a_b")
	run(1, "foreign")
	run(0, "second ärger", "100 x", "a-b")
	for range 250 { // more than a page of executions without a line between
		claim := w.Run(triggers[0])
		w.must(w.FinishExecution(w.ctx(), &claim, w.Outcome()))
	}
	run(0, "third", "last")
	all := []string{"last", "third", "a-b", "100 x", "second ärger", "a_b", "100%", "first ÄRGER"}
	for _, c := range []struct {
		query execution.LogQuery
		want  []string
	}{
		{execution.LogQuery{Limit: 100}, all},
		{execution.LogQuery{Limit: 3}, all[:3]},
		{execution.LogQuery{Limit: 3, Offset: 4}, all[4:7]},
		{execution.LogQuery{Limit: 9, Contains: "ÄrGeR"}, []string{"second ärger", "first ÄRGER"}},
		{execution.LogQuery{Limit: 9, Contains: "0%"}, []string{"100%"}},
		{execution.LogQuery{Limit: 9, Contains: "a_b"}, []string{"a_b"}},
		{execution.LogQuery{Limit: 9, Level: engine.LevelError}, []string{"third", "second ärger", "first ÄRGER"}},
		{execution.LogQuery{Limit: 9, Level: engine.LevelError, Contains: "ärger", Offset: 1}, []string{"first ÄRGER"}},
		{execution.LogQuery{Limit: 9, Contains: "nowhere"}, nil},
	} {
		c.query.WorkflowID, c.query.Deadline = f.ID, w.Now()
		page, err := w.SearchLogs(w.ctx(), c.query)
		w.must(err)
		var got []string
		for _, e := range page.Entries {
			got = append(got, e.Message)
		}
		equal(t, fmt.Sprintf("lines of %+v", c.query), got, c.want)
		if !page.Complete {
			t.Errorf("the search of %+v is not complete", c.query)
		}
	}
	page, err := w.SearchLogs(w.ctx(), execution.LogQuery{WorkflowID: f.ID, Limit: 100, Deadline: w.Now().Add(-time.Millisecond)})
	w.must(err)
	if page.Complete || len(page.Entries) > len(all) {
		t.Errorf("a search whose time was over found %d lines and is complete: %v", len(page.Entries), page.Complete)
	}
}
