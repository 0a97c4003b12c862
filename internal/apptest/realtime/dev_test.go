package realtime

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// In each home a developer gets events while connected, and the token of a run
// is heard by nobody else.
func TestDevelopersGetEvents(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, p *place) {
		d := p.Deploy(t, "mine", apptest.Handler(`return "deployed"`))
		viewer := p.RoleClient(t, "viewer")
		p.JSON(t, http.StatusOK, "POST", "/api/dev/sync-triggers", map[string]any{"workflowId": d.WorkflowID, "triggers": []any{map[string]any{
			"providerType": "builtin", "providerAlias": "default", "triggerType": "onWebhook", "input": map[string]any{"path": "in", "method": "POST"},
		}}})
		line := realtimetest.Connect(t, p.Websocket, p.Key)
		heard, err := line.Subscribe("workflow:" + d.WorkflowID)
		if err != nil {
			t.Fatal(err)
		}
		x := ""
		apptest.Until(t, 20*time.Second, "an event to be taken", func() bool {
			x = d.Send(t, `{"n": 1}`)
			return p.Ended(t, x).Status == "no_deployment"
		})
		if got := told(t, heard); got.ExecutionID != x || got.AuthToken == "" || string(got.Body) != `{"n":1}` {
			t.Errorf("told %+v, want execution %s with a token", got, x)
		}
		watching := realtimetest.Connect(t, p.Websocket, viewer.Key)
		seen, err := watching.Subscribe("workflow:" + d.WorkflowID)
		if err != nil {
			t.Fatal(err)
		}
		x = d.Send(t, `{"n": 2}`)
		if got := told(t, heard); got.ExecutionID != x {
			t.Errorf("told of %s, want %s", got.ExecutionID, x)
		}
		for _, e := range seen.Until("workflow.execution.no_deployment") {
			var of devEvent
			if err := json.Unmarshal(e.Raw, &of); err != nil || of.AuthToken != "" {
				t.Errorf("a viewer hears %s (%v)", e.Raw, err)
			}
		}
		line.Close()
		apptest.Until(t, 20*time.Second, "the deployed code to run", func() bool { return d.Run(t, `{}`).Status == "completed" })
	})
}

type devEvent struct {
	ExecutionID string          `json:"execution_id"`
	AuthToken   string          `json:"auth_token"`
	Body        json.RawMessage `json:"body"`
}

// told returns the next event for a developer.
func told(t *testing.T, heard *realtimetest.Subscription) (e devEvent) {
	t.Helper()
	events := heard.Until("webhook")
	if err := json.Unmarshal(events[len(events)-1].Raw, &e); err != nil {
		t.Fatal(err)
	}
	return e
}
