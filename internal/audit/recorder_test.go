package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
)

// kept is what a Recorder has stored.
type kept struct {
	audit.Store
	mu      sync.Mutex
	entries []audit.Entry
	err     error
}

func (k *kept) AppendAudit(_ context.Context, e audit.Entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries = append(k.entries, e)
	return k.err
}

func TestEqualEntriesAreRecordedOnceAMinute(t *testing.T) {
	t.Parallel()
	k, now := &kept{}, time.Unix(1000, 0)
	r := &audit.Recorder{Store: k, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	ada := audit.WithActor(t.Context(), audit.Actor{Kind: audit.KindUser, Name: "ada", Address: "192.0.2.1"})
	far := audit.WithActor(t.Context(), audit.Actor{Kind: audit.KindUser, Name: "ada", Address: "192.0.2.2"})
	refused := func(target string) audit.Entry {
		return audit.Entry{Action: audit.RefuseAccess, Outcome: audit.Refused, Target: audit.Target{Type: "route", ID: target}}
	}
	for _, step := range []struct {
		name  string
		ctx   context.Context
		entry audit.Entry
		pass  time.Duration
		want  int
	}{
		{"the first", ada, refused("a"), 0, 1},
		{"again", ada, refused("a"), 59 * time.Second, 1},
		{"another target", ada, refused("b"), 0, 2},
		{"another address", far, refused("a"), 0, 3},
		{"another actor", t.Context(), refused("a"), 0, 4},
		{"done", ada, audit.Entry{Action: audit.RefuseAccess, Outcome: audit.Done, Target: audit.Target{Type: "route", ID: "a"}}, 0, 5},
		{"a minute later", ada, refused("a"), time.Second, 6},
		{"and again", ada, refused("a"), 0, 6},
	} {
		now = now.Add(step.pass)
		r.Record(step.ctx, step.entry)
		if len(k.entries) != step.want {
			t.Errorf("%s: %d entries, want %d", step.name, len(k.entries), step.want)
		}
	}
	if got := k.entries[0].Actor.Name; got != "ada" {
		t.Errorf("the actor is %q", got)
	}
	if got := k.entries[3].Actor.Kind; got != audit.KindSystem {
		t.Errorf("the actor without one is %q", got)
	}
}

// A refusal must not become a failure, and what is remembered must not grow for
// ever.
func TestRecorderGoesOn(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	k := &kept{err: errors.New("the database is away")}
	r := &audit.Recorder{Store: k, Now: func() time.Time { return time.Unix(1000, 0) }, Log: slog.New(slog.NewTextHandler(&log, nil))}
	const many = 20_001
	for i := range many {
		r.Record(t.Context(), audit.Entry{Action: audit.LogIn, Target: audit.Target{ID: fmt.Sprint(i)}})
	}
	if len(k.entries) != many {
		t.Errorf("%d entries, want %d", len(k.entries), many)
	}
	if !strings.Contains(log.String(), "the database is away") {
		t.Error("the failure was not logged")
	}
	// Forgetting costs an entry more, and no entry is lost.
	r.Record(t.Context(), audit.Entry{Action: audit.LogIn, Target: audit.Target{ID: "0"}})
	if len(k.entries) != many+1 {
		t.Errorf("%d entries, want %d", len(k.entries), many+1)
	}
}

func TestBriefCutsCharactersAndNotBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "",
		strings.Repeat("ü", 200): strings.Repeat("ü", 200),
		strings.Repeat("ü", 201): strings.Repeat("ü", 200) + "…",
	} {
		if got := audit.Brief(text); got != want {
			t.Errorf("%d bytes became %d", len(text), len(got))
		}
	}
}
