//go:build external

package replicas

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
	"github.com/usefloww/flowwd/internal/redistest"
)

// connect opens a connection to a server.
func connect(t *testing.T, p *apptest.Process, key string) *realtimetest.Client {
	t.Helper()
	return realtimetest.Connect(t, "ws"+strings.TrimPrefix(p.URL, "http")+"/ws/connection/websocket", key)
}

// What one server does is told by all that share a Redis, and what is taken away
// through one is taken away at all.
func TestReplicasShareEventsOverRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	servers := start(t, 2, "--redis-url", redis.URL)
	d := servers[0].Deploy(t, "told", apptest.Handler(`console.log("hello"); return ctx.executionId`))
	account := servers[0].Account(t, "member")
	key := servers[0].AccountKey(t, account, nil)
	c := connect(t, servers[1], key.Key)
	heard, err := c.Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Recoverable: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // a publication that is tried again is not told twice
		run := d.Run(t, `{}`)
		var kinds []string
		for _, e := range heard.Until("workflow.execution.completed") {
			if !strings.Contains(string(e.Payload), run.ID) {
				t.Errorf("heard %s, want it of %s", e.Raw, run.ID)
			}
			kinds = append(kinds, strings.TrimPrefix(e.Type, "workflow.execution."))
		}
		if got := strings.Join(kinds, " "); got != "webhook.received started log completed" {
			t.Errorf("heard %s", got)
		}
	}
	// A client that moves to another server recovers there.
	position := connect(t, servers[0], servers[0].Key)
	moved, err := position.Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Recoverable: true})
	if err != nil {
		t.Fatal(err)
	}
	history, err := moved.History(t.Context(), centrifuge.WithHistoryLimit(50))
	if err != nil || len(history.Publications) != 50 {
		t.Errorf("the other server knows %d events (%v), want 50", len(history.Publications), err)
	}
	servers[0].JSON(t, http.StatusOK, "POST", "/api/service_accounts/"+account+"/api_keys/"+key.ID+"/revoke", nil)
	if code := c.Refused(); code != 4501 {
		t.Errorf("disconnected with %d, want 4501", code)
	}
}

// A Redis that is killed costs no run; when it is back, events are told again and
// those who followed know that they missed some.
func TestKilledRedisCostsNoRun(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	servers := start(t, 2, "--redis-url", redis.URL)
	d := servers[0].Deploy(t, "told", apptest.Handler(`return 1`))
	heard, err := connect(t, servers[1], servers[1].Key).Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Recoverable: true})
	if err != nil {
		t.Fatal(err)
	}
	d.Run(t, `{}`)
	heard.Until("workflow.execution.completed")
	redis.Kill(t)
	for range 20 {
		if e := d.Run(t, `{}`); e.Status != "completed" {
			t.Errorf("without Redis a run is %s: %s", e.Status, e.ErrorMessage)
		}
	}
	redis.Restart(t)
	var all []realtimetest.Event
	apptest.Until(t, 60*time.Second, "word that something was missed", func() bool {
		d.Run(t, `{}`)
		all = append(all, heard.Waiting()...)
		for _, e := range all {
			if e.Type == realtimetest.Lost || e.Type == "gap" {
				return true
			}
		}
		return false
	})
	var runs []string
	apptest.Until(t, 60*time.Second, "runs to be told again", func() bool {
		runs = append(runs, d.Run(t, `{}`).ID)
		all = append(all, heard.Waiting()...)
		for _, e := range all {
			var p struct {
				ExecutionID string `json:"execution_id"`
			}
			if e.Type == "workflow.execution.completed" && json.Unmarshal(e.Payload, &p) == nil && slices.Contains(runs, p.ExecutionID) {
				return true
			}
		}
		return false
	})
}
