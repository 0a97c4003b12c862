package storetest

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// lost wants a write to be refused because its lease is no longer the writer's.
func (w *World) lost(what string, err error) {
	w.t.Helper()
	if !errors.Is(err, execution.ErrLeaseLost) {
		w.t.Errorf("%s: got error %v, want ErrLeaseLost", what, err)
	}
}

// writes are the three ways to write with a lease.
func (w *World) writes(c execution.Claim) map[string]error {
	_, interrupted := w.InterruptExecution(w.ctx(), c.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
	return map[string]error{
		"log":       w.AppendLog(w.ctx(), c.Lease, execution.LogChunk{First: 1, Lines: Lines(1, w.Now())}),
		"finish":    w.FinishExecution(w.ctx(), &c, w.Outcome()),
		"interrupt": interrupted,
	}
}

func testFinish(t *testing.T, backend Backend) {
	t.Run("the end is kept", func(t *testing.T) {
		t.Parallel()
		for _, o := range []execution.Outcome{
			{State: execution.Completed, Result: json.RawMessage(`{"a": [1,  2]}`)},
			{State: execution.Completed},
			{State: execution.Failed, Error: "boom", Stack: "at main.ts:1:2\nat b"},
			{State: execution.TimedOut, Error: "took too long"},
			{State: execution.Cancelled, Error: "stopped"},
		} {
			w := NewWorld(t, backend(t))
			_, triggers := w.Deployed(w.Namespace())
			claim := w.Run(triggers[0])
			before := w.Get(claim.ExecutionID, claim.OrganizationID)
			w.Pass(time.Second)
			o.EndedAt, o.Duration = w.Now(), 1500*time.Microsecond
			o.Logs = &execution.LogChunk{First: 1, Lines: Lines(2, w.Now())}
			w.must(w.FinishExecution(w.ctx(), &claim, o))
			want, ended, ran := before, w.Now(), time.Millisecond
			want.State, want.Error, want.Stack, want.Result = o.State, o.Error, o.Stack, o.Result
			want.CompletedAt, want.Duration = &ended, &ran
			equal(t, "execution", w.Get(claim.ExecutionID, claim.OrganizationID), want)
			equal(t, "lines", len(w.lines(claim.ExecutionID)), 2)
		}
	})

	t.Run("texts of any content end a run", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		o := w.Outcome()
		o.State, o.Error, o.Stack = execution.Failed, "a\x00b\xffc", "\xc3\x28"
		w.must(w.FinishExecution(w.ctx(), &claim, o))
		e := w.Get(claim.ExecutionID, claim.OrganizationID)
		equal(t, "error", e.Error, "a\uFFFDb\uFFFDc")
		equal(t, "stack", e.Stack, "\uFFFD(")
	})

	t.Run("only the owner writes, until the end", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		for name, lease := range map[string]execution.Lease{
			"another incarnation":  {ExecutionID: claim.ExecutionID, Incarnation: w.ID(), Attempt: 1},
			"another attempt":      {ExecutionID: claim.ExecutionID, Incarnation: w.inc, Attempt: 2},
			"an earlier attempt":   {ExecutionID: claim.ExecutionID, Incarnation: w.inc},
			"an unknown execution": {ExecutionID: w.ID(), Incarnation: w.inc, Attempt: 1},
			"no incarnation":       {ExecutionID: claim.ExecutionID, Attempt: 1},
		} {
			other := claim
			other.Lease = lease
			for what, err := range w.writes(other) {
				w.lost(name+": "+what, err)
			}
		}
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue", depth, execution.Depth{Running: 1})
		w.must(w.FinishExecution(w.ctx(), &claim, w.Outcome()))
		ended := w.Get(claim.ExecutionID, claim.OrganizationID)
		for what, err := range w.writes(claim) {
			w.lost("after the end: "+what, err)
		}
		equal(t, "execution", w.Get(claim.ExecutionID, claim.OrganizationID), ended)
		equal(t, "lines", len(w.lines(claim.ExecutionID)), 0)
		depth, err = w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue after the end", depth, execution.Depth{})
		_, total := w.page(execution.ListFilter{Organizations: []id.ID{claim.OrganizationID}, Limit: 10})
		equal(t, "executions counted", total, 1)
	})

	t.Run("of two ends one is kept", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = w.FinishExecution(w.ctx(), &claim, w.Outcome()) })
		}
		wg.Wait()
		ended := 0
		for _, err := range errs {
			if err == nil {
				ended++
				continue
			}
			w.lost("a second end", err)
		}
		equal(t, "ends", ended, 1)
		page, err := w.Executions(w.ctx(), execution.ListFilter{Organizations: []id.ID{claim.OrganizationID}, Limit: 10})
		w.must(err)
		equal(t, "total", page.Total, 1)
	})

	t.Run("a run ends in a final state", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		for _, state := range []execution.State{execution.Received, execution.Started, execution.NoDeployment, "", "odd"} {
			o := w.Outcome()
			o.State = state
			if err := w.FinishExecution(w.ctx(), &claim, o); err == nil {
				t.Errorf("a run ended as %q", state)
			}
		}
		equal(t, "state", w.Get(claim.ExecutionID, claim.OrganizationID).State, execution.Started)
	})
}

func testInterrupt(t *testing.T, backend Backend) {
	t.Run("an interrupted run comes back", func(t *testing.T) {
		t.Parallel()
		testInterruptions(t, NewWorld(t, backend(t)))
	})

	t.Run("a trigger may ask to fail", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace(), workflow.Options{FailOnInterrupt: true})
		claim := w.Run(triggers[0])
		w.Pass(time.Second)
		state, err := w.InterruptExecution(w.ctx(), claim.Lease, execution.Interruption{
			Reason: "the server stopped", EndedAt: w.Now(), Logs: &execution.LogChunk{First: 1, Lines: Lines(2, w.Now())},
		})
		w.must(err)
		equal(t, "state", state, execution.Failed)
		e := w.Get(claim.ExecutionID, claim.OrganizationID)
		equal(t, "error", e.Error, "Interrupted: the server stopped. Its trigger asks that an interrupted run does not run again")
		if e.CompletedAt == nil || e.Duration == nil || *e.Duration != time.Second || e.Interruptions != 1 {
			t.Errorf("the execution is %+v, want it ended after a second with one interruption", e)
		}
		equal(t, "lines", len(w.lines(claim.ExecutionID)), 2)
		equal(t, "claims", len(w.Claim(5)), 0)
	})

	t.Run("claims of former lives are taken back", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		for range 250 { // more than one unit takes back
			w.Accept(triggers[0])
		}
		old := w.Claim(249)
		w.rejoin()
		mine := w.Claim(1)
		n, err := w.TakeBackClaims(w.ctx(), "the server was killed", w.Now())
		w.must(err)
		equal(t, "taken back", n, 249)
		for what, err := range w.writes(old[0]) {
			w.lost(what, err)
		}
		equal(t, "claims", claimed(w.Claim(300)), claimed(old))
		w.must(w.FinishExecution(w.ctx(), &mine[0], w.Outcome()))
		n, err = w.TakeBackClaims(w.ctx(), "again", w.Now())
		w.must(err)
		equal(t, "taken back again", n, 0)
	})
}

// testInterruptions interrupts one run until it may not run again.
func testInterruptions(t *testing.T, w *World) {
	_, triggers := w.Deployed(w.Namespace())
	x := w.Accept(triggers[0])
	later := w.Accept(triggers[0])
	for n := 1; ; n++ {
		claims := w.Claim(1)
		equal(t, "claimed", claimed(claims), []id.ID{x}) // it keeps its place
		claim := claims[0]
		equal(t, "attempt", claim.Attempt, n)
		w.must(w.AppendLog(w.ctx(), claim.Lease, execution.LogChunk{First: 1, Lines: Lines(1, w.Now())}))
		state, err := w.InterruptExecution(w.ctx(), claim.Lease, execution.Interruption{Reason: "its process was killed", EndedAt: w.Now()})
		w.must(err)
		e := w.Get(x, claim.OrganizationID)
		equal(t, "stored state", e.State, state)
		equal(t, "interruptions", e.Interruptions, n)
		for what, err := range w.writes(claim) {
			w.lost(what, err)
		}
		if n <= execution.MaxInterruptions {
			equal(t, "state", state, execution.Received)
			continue
		}
		equal(t, "state", state, execution.Failed)
		equal(t, "error", e.Error, "Interrupted 6 times, the last time because its process was killed")
		break
	}
	equal(t, "lines of all attempts", len(w.lines(x)), execution.MaxInterruptions+1)
	equal(t, "claims", claimed(w.Claim(5)), []id.ID{later})
}
