package realtime

import (
	"testing"

	"github.com/centrifugal/centrifuge-go"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// Whatever name a channel is given, one tenant hears nothing of another: not by
// asking for it, not by its history, not by who is there, and not by the channel
// that everybody may subscribe to.
func TestTenantsHearNothingOfEachOther(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, s *place) {
		other := s.OtherTenant(t)
		mine := s.Deploy(t, "mine", apptest.Handler(`console.log("secret"); return {ok: true}`))
		theirs := other.Deploy(t, "theirs", apptest.Handler(`return 1`))
		owner := realtimetest.Connect(t, s.Websocket, s.Key)
		own, err := owner.Subscribe("workflow:" + mine.WorkflowID)
		if err != nil {
			t.Fatal(err)
		}
		stranger := realtimetest.Connect(t, s.Websocket, other.Key)
		stranger.OnPublication(func(e centrifuge.ServerPublicationEvent) {
			t.Errorf("unasked, a tenant hears %s on %s", e.Data, e.Channel)
		})
		foreign, err := stranger.Subscribe("workflow:" + theirs.WorkflowID)
		if err != nil {
			t.Fatal(err)
		}
		everybody, err := stranger.Subscribe("workflow:events")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := owner.Subscribe("workflow:events"); err != nil {
			t.Fatal(err)
		}
		if there, err := stranger.Presence(t.Context(), "workflow:events"); err == nil && len(there.Clients) > 0 {
			t.Errorf("a stranger sees who is on everybody's channel: %v", there.Clients)
		}
		x := mine.WorkflowID
		for _, channel := range []string{
			"workflow:" + x, "workflow:" + x + " ", " workflow:" + x, "workflow: " + x, "workflow:" + x + "\x00", "workflow:*", "workflow:", "workflow",
			":workflow:" + x, "workflow:workflow:" + x, "$workflow:" + x, "workflow:$" + x, "workflow:#" + x, "workflow:" + x + "#", "workflow:" + x + "#" + x,
			"workflow:" + x + "/", "/workflow:" + x, "workflow:" + x + "," + theirs.WorkflowID, "workflow:{" + x + "}", "Workflow:" + x, "execution:" + x, "dev:workflow:" + x, x,
		} {
			if stranger.Opens(channel, centrifuge.SubscriptionConfig{Recoverable: true, JoinLeave: true, Positioned: true}) {
				t.Errorf("a stranger opens %q", channel)
			}
			if _, err := stranger.History(t.Context(), channel); err == nil {
				t.Errorf("a stranger reads the history of %q", channel)
			}
			if _, err := stranger.PresenceStats(t.Context(), channel); err == nil {
				t.Errorf("a stranger sees how many follow %q", channel)
			}
		}
		mine.Run(t, `{"name": "Ada"}`)
		own.Until("workflow.execution.completed")
		theirs.Run(t, `{}`)
		for _, e := range foreign.Until("workflow.execution.completed") {
			if e.WorkflowID != theirs.WorkflowID {
				t.Errorf("another tenant hears %s", e.Raw)
			}
		}
		everybody.Silent()
		// A token of one tenant's user opens the channels that it was made for, to
		// that user alone.
		channel := s.JSON(t, 200, "POST", "/api/workflows/"+x+"/channel-token", nil)["token"].(string)
		stolen := realtimetest.Connect(t, s.Websocket, other.Key)
		if stolen.Opens("workflow:"+x, centrifuge.SubscriptionConfig{Token: channel}) {
			t.Error("a token that was made for somebody else opens a channel")
		}
		if r := other.Do(t, "POST", "/api/workflows/"+x+"/channel-token", nil); r.Status != 404 {
			t.Errorf("a stranger gets a token: %s", r)
		}
	})
}
