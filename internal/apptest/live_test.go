package apptest_test

import (
	"fmt"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// The run waits for a second event between its lines, so lines that arrive
// before that event was sent were shown while the run went on.
func TestLinesAreShownWhileTheRunGoesOn(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "live", apptest.Handler(`
		console.log("first");
		console.error("second", { a: 1 });
		await new Promise((r) => setTimeout(r, 60000));
	`))
	id := d.Send(t, `{}`)
	logs := s.Follow(t, id, "").Logs(t, 2)
	if logs[0].Data["message"] != "first" || logs[0].Data["level"] != "log" || logs[0].ID != "1-1" {
		t.Errorf("first event %+v", logs[0])
	}
	if logs[1].Data["level"] != "error" || logs[1].ID != "1-2" {
		t.Errorf("second event %+v", logs[1])
	}
	if e := s.Execution(t, id); e.Status != "started" {
		t.Errorf("the run is %s while its lines are shown, want started", e.Status)
	}
	cancel(t, s.Client, id) // a server that stops waits for it
}

func TestStreamResumesAndEnds(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "resume", apptest.Handler(`for (let i = 1; i <= 2500; i++) console.log("line " + i);`))
	e := d.Run(t, `{}`)
	if e.Status != "completed" {
		t.Fatalf("the run is %s: %s", e.Status, e.ErrorMessage)
	}
	stream := s.Follow(t, e.ID, "1-1200")
	next, last := 1201, apptest.StreamEvent{}
	for {
		event, ok := stream.Next(t)
		if !ok {
			break
		}
		last = event
		if event.Name != "log" {
			continue
		}
		if want := fmt.Sprintf("line %d", next); event.Data["message"] != want || event.ID != fmt.Sprintf("1-%d", next) {
			t.Fatalf("event %+v, want %s", event, want)
		}
		next++
	}
	if next != 2501 {
		t.Errorf("the stream ended after line %d, want 2500", next-1)
	}
	if last.Name != "end" {
		t.Errorf("the last event is %q, want end", last.Name)
	}
}

// A key that is revoked ends what it opened, also what is still open.
func TestRevokedKeysEndTheirStreams(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "long", apptest.Handler(`console.log("first"); await new Promise((r) => setTimeout(r, 60000));`))
	x := d.Send(t, `{}`)
	k := s.RoleClient(t, "viewer")
	stream := k.Follow(t, x, "")
	stream.Logs(t, 1)
	s.JSON(t, 200, "POST", "/api/service_accounts/"+k.AccountID+"/api_keys/"+k.ID+"/revoke", nil)
	for {
		event, ok := stream.Next(t)
		if !ok {
			break
		}
		if event.Name == "end" {
			t.Fatal("the run ended before the stream")
		}
	}
	if e := s.Execution(t, x); e.Status != "started" {
		t.Errorf("the run is %s, want started", e.Status)
	}
	cancel(t, s.Client, x) // a server that stops waits for it
}
