package realtime

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/centrifugal/centrifuge-go"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// A run is told to those who may see its workflow, step by step, and to nobody
// else.
func TestRunsAreToldLive(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, s *place) {
		other := s.OtherTenant(t)
		mine := s.Deploy(t, "mine", apptest.Handler(`console.log("one"); console.log("two"); return {ok: true}`))
		theirs := other.Deploy(t, "theirs", apptest.Handler(`return 1`))

		c := realtimetest.Connect(t, s.Websocket, s.Key)
		heard, err := c.Subscribe("workflow:" + mine.WorkflowID)
		if err != nil {
			t.Fatal(err)
		}
		stranger := realtimetest.Connect(t, s.Websocket, other.Key)
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
	})
}

// Credentials and channels that are not good are refused for good.
func TestRealtimeRefusals(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, s *place) {
		d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
		for name, bearer := range map[string]string{"none": "", "a bad key": "floww_sa_" + strings.Repeat("x", 32), "no key": "x"} {
			if code := realtimetest.Connect(t, s.Websocket, bearer).Refused(); code != 4501 {
				t.Errorf("%s: disconnected with %d, want 4501", name, code)
			}
		}
		c := realtimetest.Connect(t, s.Websocket, s.Key)
		for _, channel := range []string{
			"workflow:" + strings.ToUpper(d.WorkflowID), "workflow:00000000-0000-0000-0000-000000000000", "workflow:x", "workflow:", "other:" + d.WorkflowID,
			"execution:" + d.WorkflowID, "$workflow:" + d.WorkflowID, d.WorkflowID, "workflow:" + d.WorkflowID + "x",
		} {
			// Where it is refused for good, the subscription has ended.
			if _, err := c.Subscribe(channel); err == nil {
				t.Errorf("%s is open", channel)
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
	})
}

// Tokens open what they were made for, and nothing else.
func TestRealtimeTokens(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, s *place) {
		d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
		other := s.Deploy(t, "other", apptest.Handler(`return 1`))
		connection := s.JSON(t, 200, "POST", "/api/realtime/token", nil)["token"].(string)
		channel := s.JSON(t, 200, "POST", "/api/workflows/"+d.WorkflowID+"/channel-token", nil)["token"].(string)

		c := realtimetest.ConnectByToken(t, s.Websocket, connection)
		heard, err := c.Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Token: channel})
		if err != nil {
			t.Fatal(err)
		}
		for what, config := range map[string]centrifuge.SubscriptionConfig{"no token": {}, "another channel's token": {Token: channel}, "a connection token": {Token: connection}} {
			if realtimetest.ConnectByToken(t, s.Websocket, connection).Opens("workflow:"+other.WorkflowID, config) {
				t.Errorf("%s opens a channel", what)
			}
		}
		d.Run(t, `{}`)
		heard.Until("workflow.execution.completed")
		for what, token := range map[string]string{"a channel's token": channel, "an API key": s.Key, "a changed token": connection[:len(connection)-2] + "xx"} {
			if code := realtimetest.ConnectByToken(t, s.Websocket, token).Refused(); code != 4501 && code != 3500 {
				t.Errorf("%s: disconnected with %d, want it refused for good", what, code)
			}
		}
		// A realtime token is no credential of the API.
		if r := apptest.NewClient(t, s.URL, connection).Do(t, "GET", "/api/whoami", nil); r.Status != 401 {
			t.Errorf("the API takes a realtime token: %s", r)
		}
	})
}

// A page of another site may not connect, one of a listed site may.
func TestRealtimeOrigins(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.CORSOrigins = []string{"https://app.example"} }})
	for origin, status := range map[string]int{"https://evil.example": 403, "https://app.example": 101, s.URL: 101, "": 101, "null": 403} {
		r := s.Do(t, "GET", "/ws/connection/websocket", nil,
			"Origin", origin, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		if r.Status != status {
			t.Errorf("origin %q: %d, want %d", origin, r.Status, status)
		}
	}
}

// Where nobody logs in, whoever is on the machine follows everything.
func TestRealtimeWhereNobodyLogsIn(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.AuthType = config.AuthNone }})
	d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
	heard, err := realtimetest.Connect(t, websocket(s.URL), "").Subscribe("workflow:" + d.WorkflowID)
	if err != nil {
		t.Fatal(err)
	}
	d.Run(t, `{}`)
	heard.Until("workflow.execution.completed")
}
