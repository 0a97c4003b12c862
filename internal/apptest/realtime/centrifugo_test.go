//go:build external

package realtime

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/centrifugotest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

func homes() []home { return []home{embeddedHome(), centrifugoHome()} }

// Secrets that a server and its Centrifugo share in tests.
const (
	apiKey      = "the key of Centrifugo's API"
	tokenSecret = "a secret that is long enough for realtime tokens"
)

// centrifugoHome is a Centrifugo beside the server.
func centrifugoHome() home {
	return home{"Centrifugo", func(t *testing.T, o apptest.Options) *place {
		p, _ := besideCentrifugo(t, o)
		return p
	}}
}

func besideCentrifugo(t *testing.T, o apptest.Options) (*place, *centrifugotest.Server) {
	t.Helper()
	ports := centrifugotest.Ports(t, 2)
	change := o.Settings
	o.Settings = func(c *config.Settings) {
		if change != nil {
			change(c)
		}
		c.CentrifugoHost, c.CentrifugoPort, c.CentrifugoKey, c.CentrifugoSecret = "127.0.0.1", ports[0], apiKey, tokenSecret
		c.CentrifugoURL = "http://127.0.0.1:" + strconv.Itoa(ports[1])
	}
	s := apptest.Start(t, o)
	c := centrifugotest.Start(t, configuration(t, s, ports[0], ports[1]))
	return &place{Server: s, Websocket: c.WebsocketURL}, c
}

// configuration is what the command line prints for a server.
func configuration(t *testing.T, s *apptest.Server, port, clientPort int) []byte {
	t.Helper()
	command := exec.Command(apptest.Binary(t), "centrifugo", "config", "--data-dir", s.DataDir, "--client-port", strconv.Itoa(clientPort))
	command.Env = []string{
		"PUBLIC_API_URL=" + s.URL, "CENTRIFUGO_HOST=127.0.0.1", "CENTRIFUGO_PORT=" + strconv.Itoa(port),
		"CENTRIFUGO_API_KEY=" + apiKey, "CENTRIFUGO_JWT_SECRET=" + tokenSecret,
	}
	text, err := command.Output()
	if err != nil {
		t.Fatalf("flowwd centrifugo config: %v", err)
	}
	return text
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
