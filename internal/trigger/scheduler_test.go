package trigger_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/provider/builtin"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// accepter stores executions and has them run at once.
type accepter struct {
	*storetest.World
	made []execution.Acceptance
	// busy has nothing run.
	busy bool
}

func (a *accepter) Accept(ctx context.Context, x execution.Acceptance) (execution.Accepted, error) {
	x.ExecutionID, x.Event.ID, x.ReceivedAt, x.MaxWaiting = a.ID(), a.ID(), a.Now(), 100
	got, err := a.AcceptExecution(ctx, x)
	if err == nil && !got.Skipped {
		a.made = append(a.made, x)
		for _, c := range a.Claim(1) {
			if !a.busy {
				err = a.FinishExecution(ctx, &c, a.Outcome())
			}
		}
	}
	return got, err
}

// scheduled is a world with a schedule and a clock that the test moves.
func scheduled(t *testing.T, expression, timezone string) (*accepter, *trigger.Scheduler, workflow.Workflow) {
	t.Helper()
	w := storetest.NewWorld(t, storetest.SQLite(t, filepath.Join(t.TempDir(), "flowwd.db")))
	catalogue := provider.Catalogue{builtin.Type: builtin.Provider{}}
	f := w.Workflow(w.Namespace())
	d := workflow.Declaration{
		Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"}, Type: "onCron", Options: workflow.Options{Timezone: timezone},
	}
	d.Input, _ = json.Marshal(map[string]string{"expression": expression})
	planner := &trigger.Planner{Catalogue: catalogue, IDs: id.NewSource(w.Now), Now: w.Now}
	plan := mustPlan(t, planner, f, nil, d)
	a := w.Activation(f)
	a.Add = plan.Add
	if err := w.ActivateDeployment(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	accepts := &accepter{World: w}
	return accepts, &trigger.Scheduler{
		Store: w, Catalogue: catalogue, Executions: accepts, Now: w.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}, f
}

// drive moves the clock from one due time to the next, until a time.
func drive(t *testing.T, a *accepter, s *trigger.Scheduler, until time.Time) {
	t.Helper()
	for {
		s.Look(t.Context())
		_, next, err := a.DueSchedules(t.Context(), a.Now(), 10)
		if err != nil || next.IsZero() {
			t.Fatalf("the next time is %v: %v", next, err)
		}
		if next.After(until) {
			return
		}
		a.Pass(next.Sub(a.Now()))
	}
}

// A year with both changes of the clock and a leap day: each day once.
func TestAYearOfADailySchedule(t *testing.T) {
	t.Parallel()
	a, s, _ := scheduled(t, "30 2 * * *", "Europe/Berlin")
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	a.Pass(time.Date(2027, 12, 31, 22, 0, 0, 0, time.UTC).Sub(a.Now()))
	s.Look(t.Context()) // what was missed before counts once
	a.made = nil
	drive(t, a, s, a.Now().Add(366*24*time.Hour))
	days := map[string]int{}
	for _, x := range a.made {
		at := x.PlannedAt.In(berlin)
		days[at.Format(time.DateOnly)]++
		want := "02:30"
		if at.Format(time.DateOnly) == "2028-03-26" {
			want = "03:00" // half past two does not exist on this day
		}
		if at.Format("15:04") != want {
			t.Errorf("it fired at %v", at)
		}
	}
	if len(a.made) != 366 || len(days) != 366 {
		t.Errorf("it fired %d times on %d days of a leap year", len(a.made), len(days))
	}
}

func TestMissedTurnsCountOnce(t *testing.T) {
	t.Parallel()
	a, s, _ := scheduled(t, "*/5 * * * *", "")
	a.Pass(3*time.Hour + 2*time.Minute + 30*time.Second)
	s.Look(t.Context())
	s.Look(t.Context())
	if len(a.made) != 1 || a.made[0].PlannedAt.Format("15:04:05") != "15:00:00" {
		t.Fatalf("made %+v, want one for 15:00", a.made)
	}
	var event struct{ ScheduledTime, ActualTime, Expression string }
	if err := json.Unmarshal(a.made[0].Event.Fields, &event); err != nil || event.ScheduledTime != "2026-11-23T15:00:00.000Z" || event.ActualTime != "2026-11-23T15:02:30.000Z" {
		t.Errorf("the event is %s (%v)", a.made[0].Event.Fields, err)
	}
	drive(t, a, s, a.Now().Add(5*time.Minute))
	if len(a.made) != 2 || a.made[1].PlannedAt.Format("15:04:05") != "15:05:00" {
		t.Errorf("made %+v, want the next for 15:05", a.made)
	}
}

// A schedule whose run still waits makes no second one, and an inactive
// workflow makes none, also not when it is active again.
func TestTurnsThatMakeNothing(t *testing.T) {
	t.Parallel()
	a, s, f := scheduled(t, "* * * * *", "")
	off, on := false, true
	set := func(active *bool) {
		if _, err := a.ChangeWorkflow(t.Context(), f.ID, workflow.Change{Active: active}, a.Now()); err != nil {
			t.Fatal(err)
		}
	}
	set(&off)
	drive(t, a, s, a.Now().Add(10*time.Minute))
	set(&on)
	s.Look(t.Context())
	if len(a.made) != 0 {
		t.Fatalf("an inactive workflow fired: %+v", a.made)
	}
	drive(t, a, s, a.Now().Add(3*time.Minute))
	if len(a.made) != 3 {
		t.Errorf("an active workflow fired %d times in three minutes", len(a.made))
	}
}

func TestUpcoming(t *testing.T) {
	t.Parallel()
	a, _, f := scheduled(t, "0 9 * * MON", "America/New_York")
	triggers, err := a.Triggers(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := trigger.Upcoming(provider.Catalogue{builtin.Type: builtin.Provider{}}, triggers[0], 3)
	for i, want := range []string{"2026-11-23T14:00:00Z", "2026-11-30T14:00:00Z", "2026-12-07T14:00:00Z"} {
		if len(got) != 3 || got[i].UTC().Format(time.RFC3339) != want {
			t.Fatalf("upcoming %v, want %s as number %d", got, want, i+1)
		}
	}
}
