package apptest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// websocket is where clients of a server connect.
func websocket(s *apptest.Server) string {
	return "ws" + strings.TrimPrefix(s.URL, "http") + "/ws/connection/websocket"
}

// A run is told to those who may see its workflow, step by step, and to nobody
// else.
func TestRunsAreToldLive(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	other := s.OtherTenant(t)
	mine := s.Deploy(t, "mine", apptest.Handler(`console.log("one"); console.log("two"); return {ok: true}`))
	theirs := other.Deploy(t, "theirs", apptest.Handler(`return 1`))

	c := realtimetest.Connect(t, websocket(s), s.Key)
	heard, err := c.Subscribe("workflow:" + mine.WorkflowID)
	if err != nil {
		t.Fatal(err)
	}
	stranger := realtimetest.Connect(t, websocket(s), other.Key)
	if _, err := stranger.Subscribe("workflow:" + mine.WorkflowID); err == nil {
		t.Error("another tenant may subscribe")
	}
	foreign, err := stranger.Subscribe("workflow:" + theirs.WorkflowID)
	if err != nil {
		t.Fatal(err)
	}

	run := mine.Run(t, `{"name": "Ada"}`)
	events := heard.Until("workflow.execution.completed")
	var kinds []string
	lines := ""
	for _, e := range events {
		kinds = append(kinds, e.Type)
		if e.WorkflowID != mine.WorkflowID || e.Timestamp == "" || !strings.HasSuffix(e.Time, "Z") || !strings.Contains(string(e.Payload), run.ID) {
			t.Errorf("the event is %s", e.Raw)
		}
		if e.Type == "workflow.execution.log" {
			var p struct{ Lines []struct{ Message string } }
			if err := json.Unmarshal(e.Payload, &p); err != nil {
				t.Fatal(err)
			}
			for _, l := range p.Lines {
				lines += l.Message + " "
			}
		}
	}
	if kinds[0] != "webhook.received" || kinds[1] != "workflow.execution.started" || lines != "one two " {
		t.Errorf("heard %v with the lines %q", kinds, lines)
	}
	if first := string(events[0].Payload); !strings.Contains(first, `"data":{"name":"Ada"}`) {
		t.Errorf("the first event has the payload %s", first)
	}
	if last := string(events[len(events)-1].Payload); !strings.Contains(last, `"result":{"ok":true}`) || !strings.Contains(last, `"status":"completed"`) {
		t.Errorf("the last event has the payload %s", last)
	}
	theirs.Run(t, `{}`)
	for _, e := range foreign.Until("workflow.execution.completed") {
		if e.WorkflowID != theirs.WorkflowID {
			t.Errorf("another tenant hears %s", e.Raw)
		}
	}
}

// Credentials and channels that are not good are refused for good.
func TestRealtimeRefusals(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
	for name, bearer := range map[string]string{"none": "", "a bad key": "floww_sa_" + strings.Repeat("x", 32), "no key": "x"} {
		if code := realtimetest.Connect(t, websocket(s), bearer).Refused(); code != 4501 {
			t.Errorf("%s: disconnected with %d, want 4501", name, code)
		}
	}
	c := realtimetest.Connect(t, websocket(s), s.Key)
	for _, channel := range []string{
		"workflow:" + strings.ToUpper(d.WorkflowID), "workflow:00000000-0000-0000-0000-000000000000", "workflow:x", "workflow:", "other:" + d.WorkflowID,
		"execution:" + d.WorkflowID, "$workflow:" + d.WorkflowID, d.WorkflowID, "workflow:" + d.WorkflowID + "x",
	} {
		if _, err := c.Subscribe(channel); err == nil || !strings.Contains(err.Error(), "Access denied") {
			t.Errorf("%s: %v", channel, err)
		}
	}
	if _, err := c.Subscribe("workflow:events"); err != nil {
		t.Errorf("workflow:events: %v", err)
	}
	if _, err := c.Publish(t.Context(), "workflow:"+d.WorkflowID, []byte(`{}`)); err == nil {
		t.Error("a client may publish")
	}
	if _, err := c.History(t.Context(), "workflow:"+d.WorkflowID); err == nil {
		t.Error("the history is shown to those who are not subscribed")
	}
	if _, err := c.Presence(t.Context(), "workflow:"+d.WorkflowID); err == nil {
		t.Error("it is shown who is there to those who are not subscribed")
	}
}
