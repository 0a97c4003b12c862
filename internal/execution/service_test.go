package execution_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/dummy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/workflow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a service on a real store, with a workflow whose runs do what their
// event says.
type house struct {
	*execution.Service
	world   *storetest.World
	faults  *faulty
	engine  *dummy.Engine
	trigger workflow.Trigger
	ids     *id.Source
}

func newHouse(t *testing.T, slots int, options ...workflow.Options) *house {
	t.Helper()
	w := storetest.NewWorld(t, storetest.SQLite(t, filepath.Join(t.TempDir(), "flowwd.db")), func(cfg *store.Config) { cfg.Now = time.Now })
	h := &house{world: w, faults: newFaulty(w.Store), engine: dummy.New(slots, time.Now), ids: id.NewSource(time.Now)}
	source := workflow.Source{Files: map[string]string{"behaviour": "echo"}, Entrypoint: "behaviour"}
	program, err := h.engine.Compile(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	f := w.Workflow(w.Namespace())
	a := w.Activation(f, append(options, workflow.Options{})[0])
	a.Program, a.Deployment.ProgramHash = program, program.Hash
	a.Add[0].Input, a.Deployment.Triggers[0].Input = json.RawMessage(`{}`), json.RawMessage(`{}`)
	if err := w.ActivateDeployment(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	h.trigger = a.Add[0]
	h.start(t)
	return h
}

// start starts a new life of the service on the same store.
func (h *house) start(t *testing.T) {
	t.Helper()
	h.Service = execution.New(execution.Config{
		Store: h.faults, Engine: h.engine, IDs: h.ids, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Limits: engine.DefaultLimits(), MaxTimeout: time.Minute, MaxMemory: 256 << 20, Retention: 24 * time.Hour,
	})
	s := h.Service
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopNow(t, s) })
}

// stopNow stops a service without giving its runs time.
func stopNow(t *testing.T, s *execution.Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// send accepts an event whose run does the steps.
func (h *house) send(t *testing.T, steps ...string) id.ID {
	t.Helper()
	a, err := h.try(steps...)
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return a.ExecutionID
}

func (h *house) try(steps ...string) (execution.Accepted, error) {
	body, err := json.Marshal(map[string]string{"behaviour": strings.Join(steps, "\n")})
	if err != nil {
		return execution.Accepted{}, err
	}
	return h.Accept(context.Background(), execution.Acceptance{
		OrganizationID: h.trigger.OrganizationID, WorkflowID: h.trigger.WorkflowID, TriggerID: h.trigger.ID,
		Origin: execution.Origin{ProviderType: "builtin", ProviderAlias: "default", TriggerType: h.trigger.Type},
		Event:  execution.Event{Fields: json.RawMessage(`{}`), HasBody: true, ContentType: "application/json", Body: body},
	})
}

// when waits until an execution meets a condition and returns it.
func (h *house) when(t *testing.T, x id.ID, what string, met func(execution.Execution) bool) execution.Execution {
	t.Helper()
	changed, stop := h.Watch(x)
	defer stop()
	deadline := time.After(20 * time.Second)
	for {
		e := h.world.Get(x, h.trigger.OrganizationID)
		if met(e) {
			return e
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("execution is %s in attempt %d (%s), want: %s", e.State, e.Attempt, e.Error, what)
		}
	}
}

func (h *house) ended(t *testing.T, x id.ID) execution.Execution {
	t.Helper()
	return h.when(t, x, "ended", func(e execution.Execution) bool { return e.State.Final() })
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 4)
	for steps, want := range map[string]struct {
		state  execution.State
		result string
	}{
		`return {"a":1}`:  {execution.Completed, `{"a":1}`},
		"fail it broke":   {execution.Failed, ""},
		"crash":           {execution.Failed, ""},
		"out-of-memory":   {execution.Failed, ""},
		"never-settles":   {execution.Failed, ""},
		"sleep 1ms":       {execution.Completed, ""},
		"log x\nreturn 1": {execution.Completed, "1"},
	} {
		e := h.ended(t, h.send(t, steps))
		if e.State != want.state || string(e.Result) != want.result || e.Attempt != 1 {
			t.Errorf("%q: %s with %s in attempt %d, want %s with %s", steps, e.State, e.Result, e.Attempt, want.state, want.result)
		}
		if e.State == execution.Failed && e.Error == "" {
			t.Errorf("%q failed without a reason", steps)
		}
		if e.CompletedAt == nil || e.Duration == nil {
			t.Errorf("%q has no end or no duration", steps)
		}
	}
}

func TestInterruptedRunsEndInTheEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 2)
	e := h.ended(t, h.send(t, "interrupt"))
	if e.State != execution.Failed || e.Attempt != execution.MaxInterruptions+1 || e.Interruptions != execution.MaxInterruptions+1 {
		t.Errorf("%s after %d attempts and %d interruptions: %s", e.State, e.Attempt, e.Interruptions, e.Error)
	}
}

// What the store refuses for a while, or does without saying so, is neither
// lost nor done twice.
func TestStoreFaults(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]func(*faulty){
		"finish refused":     func(f *faulty) { f.refuse["finish"] = 3 },
		"finish answer lost": func(f *faulty) { f.lose["finish"] = 1 },
		"log refused":        func(f *faulty) { f.refuse["append"] = 2 },
		"log answer lost":    func(f *faulty) { f.lose["append"] = 2 },
		"all of it": func(f *faulty) {
			f.refuse["append"], f.lose["append"], f.refuse["finish"], f.lose["finish"] = 1, 1, 2, 1
		},
		"interrupt refused":   func(f *faulty) { f.refuse["interrupt"] = 2 },
		"interrupt lost once": func(f *faulty) { f.lose["interrupt"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 1)
			h.faults.plan(plan)
			if strings.HasPrefix(name, "interrupt") {
				h.ended(t, h.send(t, "interrupt"))
			}
			steps := []string{}
			for i := 1; i <= 60; i++ {
				steps = append(steps, fmt.Sprintf("log line %d", i), "sleep 15ms")
			}
			x := h.send(t, append(steps, "return 7")...)
			e := h.ended(t, x)
			if e.State != execution.Completed || string(e.Result) != "7" || e.Attempt != 1 {
				t.Fatalf("%s with %s in attempt %d: %s", e.State, e.Result, e.Attempt, e.Error)
			}
			entries, err := h.Logs(t.Context(), x, execution.Cursor{}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 60 {
				t.Errorf("%d lines are stored, want 60", len(entries))
			}
			for i, l := range entries {
				if want := fmt.Sprintf("line %d", i+1); l.Message != want || l.Cursor.Line != i+1 {
					t.Fatalf("line %s is %q, want %q", l.Cursor, l.Message, want)
				}
			}
			if h.faults.left() {
				t.Error("a planned fault did not happen, so the test has shown nothing")
			}
		})
	}
}

func TestRefusedEventsLeaveTheSlotFree(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	h.faults.refuse["accept"] = 5
	for range 5 {
		if _, err := h.try("echo"); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("accept: %v, want unavailable", err)
		}
	}
	if e := h.ended(t, h.send(t, "return 1")); e.State != execution.Completed {
		t.Errorf("the next run is %s", e.State)
	}
}

func TestSlotsBoundTheRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 3)
	var all []id.ID
	for range 30 {
		all = append(all, h.send(t, "sleep 5ms", "return 1"))
		if running, slots := h.Running(); running > slots || slots != 3 {
			t.Fatalf("%d runs go on in %d slots", running, slots)
		}
	}
	for _, x := range all {
		if e := h.ended(t, x); e.State != execution.Completed {
			t.Errorf("a run is %s: %s", e.State, e.Error)
		}
	}
	depth, err := h.Depth(t.Context())
	if err != nil || depth.Waiting+depth.Running != 0 {
		t.Errorf("the queue holds %+v (%v), want nothing", depth, err)
	}
}

// What comes while a queue is looked at in which nothing was found starts at once.
func TestLooksLeaveSlots(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 8)
	looking := make(chan struct{})
	h.faults.plan(func(f *faulty) { f.looking = looking })
	h.Hear(execution.Notice{Queue: true})
	<-looking
	h.faults.plan(func(f *faulty) { f.looking = nil })
	for range 4 {
		a, err := h.try("return 1")
		if err != nil {
			t.Fatal(err)
		}
		if a.State != execution.Started {
			t.Errorf("the execution is %s while the queue is looked at, want started", a.State)
		}
	}
	close(looking)
}

// While the database does not take ends, as many runs begin as there are slots, and
// no more: what ended is kept until it does.
func TestEndsBoundTheRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 2)
	h.faults.plan(func(f *faulty) { f.refuse["finish"] = 1 << 20 })
	var all []id.ID
	for range 6 {
		all = append(all, h.send(t, "return 1"))
	}
	for _, x := range all[:4] {
		h.when(t, x, "begun", func(e execution.Execution) bool { return e.State == execution.Started })
	}
	// The slots are those of the last two; the first two have given theirs up.
	if running, _ := h.Running(); running != 2 {
		t.Errorf("%d slots are taken, want 2", running)
	}
	if n := h.Ending(); n != 2 {
		t.Errorf("%d ends are on their way, want 2", n)
	}
	if depth, err := h.Depth(t.Context()); err != nil || depth.Running != 4 || depth.Waiting != 2 {
		t.Errorf("the queue holds %+v (%v), want 4 that run and 2 that wait", depth, err)
	}
	h.faults.plan(func(f *faulty) { f.refuse["finish"] = 0 })
	for _, x := range all {
		if e := h.ended(t, x); e.State != execution.Completed || e.Attempt != 1 {
			t.Errorf("a run is %s in attempt %d: %s", e.State, e.Attempt, e.Error)
		}
	}
	stopNow(t, h.Service)
	if n := h.Ending(); n != 0 {
		t.Errorf("%d ends are on their way when all have arrived", n)
	}
}

// A stopped service gives its runs back; the next life of the server runs them
// again.
func TestStopGivesRunsBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 2)
	x := h.send(t, "log before", "hang")
	h.when(t, x, "a stored line", func(execution.Execution) bool {
		entries, err := h.Logs(t.Context(), x, execution.Cursor{}, 10)
		return err == nil && len(entries) == 1
	})
	stopNow(t, h.Service)
	if e := h.world.Get(x, h.trigger.OrganizationID); e.State != execution.Received || e.Interruptions != 1 {
		t.Fatalf("after the stop the run is %s with %d interruptions", e.State, e.Interruptions)
	}
	if _, err := h.try("echo"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a stopped service accepts: %v", err)
	}
	h.start(t)
	h.when(t, x, "a second attempt", func(e execution.Execution) bool { return e.State == execution.Started && e.Attempt == 2 })
}

// A run that was taken back is ended, and writes nothing more.
func TestLostLeaseEndsTheRun(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	program := []string{"log first"}
	for range 200 { // something is on its way, however late the claim is taken back
		program = append(program, "sleep 50ms", "log more")
	}
	x := h.send(t, append(program, "hang")...)
	h.when(t, x, "started", func(e execution.Execution) bool { return e.State == execution.Started })
	if err := h.world.Join(t.Context(), execution.Node{Incarnation: h.ids.New(), StartedAt: time.Now()}, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n, err := h.world.TakeBackClaims(t.Context(), "another took over", time.Now()); err != nil || n != 1 {
		t.Fatalf("took back %d claims: %v", n, err)
	}
	ofFirst := func() (lines int) {
		entries, err := h.Logs(t.Context(), x, execution.Cursor{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range entries {
			if l.Cursor.Attempt == 1 {
				lines++
			}
		}
		return lines
	}
	written := ofFirst()
	// The slot is free again only when the first attempt has ended; then the
	// second one takes it.
	h.when(t, x, "a second attempt", func(e execution.Execution) bool { return e.State == execution.Started && e.Attempt == 2 })
	if now := ofFirst(); now != written {
		t.Errorf("the attempt that was taken back wrote %d lines afterwards", now-written)
	}
}

// A cancel that comes before the answer to the claim ends the run all the same.
func TestCancelBeforeTheClaimIsKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	busy := h.send(t, "hang")
	h.when(t, busy, "started", func(e execution.Execution) bool { return e.State == execution.Started })
	x := h.send(t, "hang")
	h.Hear(execution.Notice{Cancelled: []id.ID{x}}) // before it runs here
	if _, err := h.Cancel(t.Context(), h.world.Get(busy, h.trigger.OrganizationID), "Ann"); err != nil {
		t.Fatal(err)
	}
	if e := h.ended(t, busy); e.State != execution.Cancelled || e.Error != "Cancelled by Ann" {
		t.Errorf("the first run is %s: %s", e.State, e.Error)
	}
	if e := h.ended(t, x); e.State != execution.Cancelled || e.Error != "the run was cancelled" {
		t.Errorf("the second run is %s: %s", e.State, e.Error)
	}
}

// A notice that was lost is made up for by the look at the claims.
func TestCancelWithoutANoticeEndsTheRun(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	h.faults.shared = true
	stopNow(t, h.Service)
	h.start(t)
	x := h.send(t, "hang")
	h.when(t, x, "started", func(e execution.Execution) bool { return e.State == execution.Started })
	state, err := h.world.CancelExecution(t.Context(), x, execution.Cancellation{Reason: "Cancelled by Ann", At: time.Now()})
	if err != nil || state != execution.Started {
		t.Fatalf("cancelled to %s: %v", state, err)
	}
	if e := h.ended(t, x); e.State != execution.Cancelled {
		t.Errorf("the run is %s: %s", e.State, e.Error)
	}
}

// A retry happens once, whatever becomes of the answer to its storing.
func TestRetryFaults(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]func(*faulty){
		"none":        func(*faulty) {},
		"refused":     func(f *faulty) { f.refuse["retry"] = 2 },
		"answer lost": func(f *faulty) { f.lose["retry"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wait := 10 * time.Millisecond
			h := newHouse(t, 1, workflow.Options{Timeout: 50 * time.Millisecond, Retry: workflow.Retry{Attempts: 3, Delay: wait, MaxDelay: wait}})
			h.faults.plan(plan)
			for steps, want := range map[string]execution.State{
				"fail boom": execution.Failed, "out-of-memory": execution.Failed, "crash": execution.Failed, "hang": execution.TimedOut,
			} {
				if steps == "hang" && name != "none" {
					continue
				}
				e := h.ended(t, h.send(t, steps))
				if e.State != want || e.Attempt != 3 || e.Retries != 2 || e.Interruptions != 0 {
					t.Errorf("%s: %s in attempt %d after %d retries: %s", steps, e.State, e.Attempt, e.Retries, e.Error)
				}
			}
			if e := h.ended(t, h.send(t, "return 1")); e.Attempt != 1 {
				t.Errorf("a run that went well was attempted %d times", e.Attempt)
			}
			if h.faults.left() {
				t.Error("a planned fault did not happen, so the test has shown nothing")
			}
		})
	}
}

// An interruption is no failed attempt: it is counted apart.
func TestInterruptionsAreNoRetries(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1, workflow.Options{Retry: workflow.Retry{Attempts: 2}})
	e := h.ended(t, h.send(t, "interrupt"))
	if e.State != execution.Failed || e.Retries != 0 || e.Interruptions != execution.MaxInterruptions+1 {
		t.Errorf("%s after %d retries and %d interruptions", e.State, e.Retries, e.Interruptions)
	}
}
