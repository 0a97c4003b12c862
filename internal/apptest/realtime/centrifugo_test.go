//go:build external

package realtime

import (
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/centrifugotest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

func homes() []home { return []home{embeddedHome(), centrifugoHome()} }

// centrifugoHome is a Centrifugo beside the server.
func centrifugoHome() home {
	return home{"Centrifugo", func(t *testing.T, o apptest.Options) *place {
		p, _ := besideCentrifugo(t, o)
		return p
	}}
}

func besideCentrifugo(t *testing.T, o apptest.Options) (*place, *centrifugotest.Server) {
	t.Helper()
	s, c := centrifugotest.Beside(t, o)
	return &place{Server: s, Websocket: c.WebsocketURL}, c
}

// A Centrifugo that is killed costs no run; once it is back it is followed and
// published to again, and those who followed before know that they missed
// something.
func TestKilledCentrifugoCostsNoRun(t *testing.T) {
	t.Parallel()
	p, c := besideCentrifugo(t, apptest.Options{})
	d := p.Deploy(t, "mine", apptest.Handler(`return 1`))
	client := realtimetest.Connect(t, p.Websocket, p.Key)
	heard, err := client.Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Recoverable: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c.Kill(t)
		for range 20 {
			if e := d.Run(t, `{}`); e.Status != "completed" {
				t.Errorf("without Centrifugo a run is %s: %s", e.Status, e.ErrorMessage)
			}
		}
		c.Restart(t)
		heard.Until(realtimetest.Lost, "gap")
		last := d.Run(t, `{}`)
		apptest.Until(t, 30*time.Second, "the last run to be told", func() bool {
			events := heard.Until("workflow.execution.completed", "gap")
			end := events[len(events)-1]
			if end.Type == "gap" { // Centrifugo was back before this server knew
				last = d.Run(t, `{}`)
			}
			return strings.Contains(string(end.Payload), last.ID)
		})
	}
}
