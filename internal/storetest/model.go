package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/workflow"
)

// testQueueModel runs random calls on the queue and on a model of it that is
// too simple to be wrong, and compares what they answer.
func testQueueModel(t *testing.T, backend Backend) {
	const organizationLimit = 4
	w := NewWorld(t, backend(t), func(c *store.Config) { c.OrganizationLimit = organizationLimit })
	rapid.Check(t, func(r *rapid.T) {
		m := newModel(w, organizationLimit)
		defer m.drain(t)
		r.Repeat(map[string]func(*rapid.T){
			"accept":    m.accept,
			"claim":     m.claim,
			"finish":    m.finish,
			"interrupt": m.interrupt,
			"take back": m.takeBack,
			"retry":     m.retry,
			"cancel":    m.cancel,
			"wake":      m.wake,
			"":          m.compare,
		})
	})
}

// modelRun is what the model knows of an execution.
type modelRun struct {
	id, organization id.ID
	trigger          workflow.Trigger
	state            execution.State
	lease            execution.Lease
	received         time.Time
	attempts         int
	interruptions    int
	retries          int
	// until is when a postponed one may start; zero for one that is not.
	until time.Time
	// cancelled says that somebody asked to end it while it ran.
	cancelled bool
}

// claim is the one that a lease belongs to.
func (x *modelRun) claim(l execution.Lease) *execution.Claim {
	return &execution.Claim{
		Lease: l, OrganizationID: x.organization, WorkflowID: x.trigger.WorkflowID, TriggerID: x.trigger.ID,
		Trigger: x.trigger.Declaration, ReceivedAt: x.received,
	}
}

type model struct {
	w             *World
	limit         int
	organizations []id.ID
	triggers      []workflow.Trigger
	runs          []*modelRun // oldest first
	turns         map[id.ID]int
	turn          int
}

// newModel begins with two organizations of its own in a shared database.
func newModel(w *World, limit int) *model {
	m := &model{w: w, limit: limit, turns: make(map[id.ID]int)}
	for range 2 {
		n := w.Namespace()
		_, triggers := w.Deployed(n, workflow.Options{}, workflow.Options{Concurrency: 1}, workflow.Options{Concurrency: 2, FailOnInterrupt: true})
		m.organizations = append(m.organizations, n.OrganizationID)
		m.triggers = append(m.triggers, triggers...)
	}
	return m
}

func (m *model) in(state execution.State) []*modelRun {
	var found []*modelRun
	for _, x := range m.runs {
		if x.state == state {
			found = append(found, x)
		}
	}
	return found
}

// mayStart reports whether the limits of an execution leave room for it.
func (m *model) mayStart(t workflow.Trigger) bool {
	ofTrigger, ofOrganization := 0, 0
	for _, x := range m.in(execution.Started) {
		if x.trigger.ID == t.ID {
			ofTrigger++
		}
		if x.organization == t.OrganizationID {
			ofOrganization++
		}
	}
	return ofOrganization < m.limit && (t.Options.Concurrency == 0 || ofTrigger < t.Options.Concurrency)
}

// next is the execution whose turn it is; nil when none may start.
func (m *model) next() *modelRun {
	byTurn := slices.Clone(m.organizations)
	slices.SortFunc(byTurn, func(a, b id.ID) int {
		return cmp.Or(cmp.Compare(m.turns[a], m.turns[b]), slices.Compare(a[:], b[:]))
	})
	for _, o := range byTurn {
		for _, x := range m.in(execution.Received) {
			if x.organization == o && x.until.IsZero() && m.mayStart(x.trigger) {
				return x
			}
		}
	}
	return nil
}

func (m *model) start(x *modelRun) {
	x.attempts++
	x.state = execution.Started
	x.lease = execution.Lease{ExecutionID: x.id, Incarnation: m.w.inc, Attempt: x.attempts}
}

func (m *model) accept(r *rapid.T) {
	t := m.triggers[rapid.IntRange(0, len(m.triggers)-1).Draw(r, "trigger")]
	a := m.w.Acceptance(t)
	if rapid.Bool().Draw(r, "slot") {
		a.Claimant = m.w.inc
	}
	var until time.Time
	if rapid.IntRange(0, 4).Draw(r, "later") == 0 {
		until = m.w.Now().Add(time.Duration(rapid.IntRange(1, 20).Draw(r, "ms")) * time.Millisecond)
		a.AvailableAt = &until
	}
	got, err := m.w.AcceptExecution(m.w.ctx(), a)
	if err != nil {
		r.Fatal(err)
	}
	x := &modelRun{id: a.ExecutionID, organization: t.OrganizationID, trigger: t, received: a.ReceivedAt, state: execution.Received, until: until}
	// Where others write too, only a claim keeps limits.
	limited := m.w.Shared() && (m.limit > 0 || t.Options.Concurrency > 0)
	if !a.Claimant.IsZero() && until.IsZero() && !limited && m.next() == nil && m.mayStart(t) {
		m.start(x)
	}
	m.runs = append(m.runs, x)
	if got.State != x.state || (got.Claim != nil) != (x.state == execution.Started) {
		r.Fatalf("accepted as %s with claim %v, want %s", got.State, got.Claim, x.state)
	}
}

func (m *model) claim(r *rapid.T) {
	limit := rapid.IntRange(1, 6).Draw(r, "limit")
	claims, err := m.w.ClaimExecutions(m.w.ctx(), m.w.inc, limit, m.w.Now())
	if err != nil {
		r.Fatal(err)
	}
	var want []execution.Lease
	for len(want) < limit {
		x := m.next()
		if x == nil {
			break
		}
		m.start(x)
		m.turn++
		m.turns[x.organization] = m.turn
		want = append(want, x.lease)
	}
	var got []execution.Lease
	for _, c := range claims {
		got = append(got, c.Lease)
	}
	if !slices.Equal(got, want) {
		r.Fatalf("claimed %v, want %v", got, want)
	}
}

// anyLease draws the lease of any execution that ran, over or not.
func (m *model) anyLease(r *rapid.T) (*modelRun, execution.Lease) {
	var ran []*modelRun
	for _, x := range m.runs {
		if x.attempts > 0 {
			ran = append(ran, x)
		}
	}
	if len(ran) == 0 {
		r.Skip("nothing ran yet")
	}
	x := ran[rapid.IntRange(0, len(ran)-1).Draw(r, "execution")]
	lease := x.lease
	if rapid.IntRange(0, 9).Draw(r, "stale") == 0 {
		lease.Attempt--
	}
	return x, lease
}

// check compares an answer with whether the lease was held.
func check(r *rapid.T, held bool, err error) {
	if held != (err == nil) || (!held && err != execution.ErrLeaseLost) { //nolint:errorlint // exactly this
		r.Fatalf("lease held: %v, answer: %v", held, err)
	}
}

func (m *model) finish(r *rapid.T) {
	x, lease := m.anyLease(r)
	held := x.state == execution.Started && lease == x.lease
	o := m.w.Outcome()
	o.State = rapid.SampledFrom([]execution.State{execution.Completed, execution.Failed}).Draw(r, "state")
	check(r, held, m.w.FinishExecution(m.w.ctx(), x.claim(lease), o))
	if held {
		x.state = o.State
	}
}

// interrupted moves an execution that was interrupted.
func (x *modelRun) interrupted() {
	x.interruptions++
	x.state = execution.Received
	if x.cancelled {
		x.state = execution.Cancelled
	} else if x.trigger.Options.FailOnInterrupt || x.interruptions > execution.MaxInterruptions {
		x.state = execution.Failed
	}
}

func (m *model) interrupt(r *rapid.T) {
	x, lease := m.anyLease(r)
	held := x.state == execution.Started && lease == x.lease
	state, err := m.w.InterruptExecution(m.w.ctx(), lease, execution.Interruption{Reason: "test", EndedAt: m.w.Now()})
	check(r, held, err)
	if !held {
		return
	}
	x.interrupted()
	if state != x.state {
		r.Fatalf("interrupted to %s, want %s", state, x.state)
	}
}

func (m *model) retry(r *rapid.T) {
	x, lease := m.anyLease(r)
	held := x.state == execution.Started && lease == x.lease
	wait := time.Duration(rapid.IntRange(0, 20).Draw(r, "ms")) * time.Millisecond
	state, err := m.w.RetryExecution(m.w.ctx(), lease, m.w.failure(wait))
	check(r, held, err)
	if !held {
		return
	}
	x.state = execution.Cancelled
	if !x.cancelled {
		x.state, x.until = execution.Received, m.w.Now().Add(wait)
		x.retries++
	}
	if state != x.state {
		r.Fatalf("retried to %s, want %s", state, x.state)
	}
}

func (m *model) cancel(r *rapid.T) {
	if len(m.runs) == 0 {
		r.Skip("nothing to cancel")
	}
	x := m.runs[rapid.IntRange(0, len(m.runs)-1).Draw(r, "execution")]
	state, err := m.w.CancelExecution(m.w.ctx(), x.id, execution.Cancellation{Reason: "test", At: m.w.Now()})
	if err != nil {
		r.Fatal(err)
	}
	switch x.state {
	case execution.Received:
		x.state = execution.Cancelled
	case execution.Started:
		x.cancelled = true
	}
	if state != x.state {
		r.Fatalf("cancelled to %s, want %s", state, x.state)
	}
}

func (m *model) wake(r *rapid.T) {
	n, next, err := m.w.WakePostponed(m.w.ctx(), m.w.Now(), 1000)
	if err != nil {
		r.Fatal(err)
	}
	woken := 0
	var first time.Time
	for _, x := range m.in(execution.Received) {
		switch {
		case x.until.IsZero():
		case !x.until.After(m.w.Now()):
			x.until = time.Time{}
			woken++
		case first.IsZero() || x.until.Before(first):
			first = x.until
		}
	}
	if n != woken || !next.Equal(first) {
		r.Fatalf("woke %d, the next at %v; want %d and %v", n, next, woken, first)
	}
}

func (m *model) takeBack(r *rapid.T) {
	m.w.rejoin()
	n, err := m.w.TakeBackClaims(m.w.ctx(), "test", m.w.Now())
	if err != nil {
		r.Fatal(err)
	}
	started := m.in(execution.Started)
	for _, x := range started {
		x.interrupted()
	}
	if n != len(started) {
		r.Fatalf("took back %d, want %d", n, len(started))
	}
}

// compare compares the stored state of all executions, and their lists.
func (m *model) compare(r *rapid.T) {
	m.w.Pass(time.Millisecond)
	for _, x := range m.runs {
		e := m.w.Get(x.id, x.organization)
		if e.State != x.state || e.Attempt != x.attempts || e.Interruptions != x.interruptions || e.Retries != x.retries {
			r.Fatalf("execution %s is %s after %d attempts, %d interruptions and %d retries, want %s, %d, %d and %d",
				x.id, e.State, e.Attempt, e.Interruptions, e.Retries, x.state, x.attempts, x.interruptions, x.retries)
		}
	}
	page, err := m.w.Executions(m.w.ctx(), execution.ListFilter{Organizations: m.organizations, Limit: 1000})
	if err != nil {
		r.Fatal(err)
	}
	if page.Total != len(m.runs) || len(page.Executions) != len(m.runs) {
		r.Fatalf("listed %d of %d executions, want %d", len(page.Executions), page.Total, len(m.runs))
	}
	depth, err := m.w.QueueDepth(m.w.ctx())
	if err != nil {
		r.Fatal(err)
	}
	if depth.Waiting != len(m.in(execution.Received)) || depth.Running != len(m.in(execution.Started)) {
		r.Fatalf("the queue is %+v, want %d waiting and %d running",
			depth, len(m.in(execution.Received)), len(m.in(execution.Started)))
	}
}

// drain ends everything, so that the next sequence begins with an empty queue.
func (m *model) drain(t *testing.T) {
	for _, x := range m.in(execution.Started) {
		m.w.must(m.w.FinishExecution(m.w.ctx(), x.claim(x.lease), m.w.Outcome()))
	}
	m.w.Pass(time.Minute)
	m.w.wake()
	for claims := m.w.Claim(100); len(claims) > 0; claims = m.w.Claim(100) {
		for _, c := range claims {
			m.w.must(m.w.FinishExecution(m.w.ctx(), &c, m.w.Outcome()))
		}
	}
	if problems := m.w.Check(m.w.ctx()); len(problems) > 0 {
		t.Errorf("the database has problems: %v", problems)
	}
}
