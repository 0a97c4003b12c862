package realtime

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// A client whose connection was cut hears what it missed, in order and once,
// also when that happens again and again in the middle of what is told.
func TestCutConnectionsLoseNothing(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, s *place) {
		d := s.Deploy(t, "mine", apptest.Handler(`return event.body.n`))
		cable := realtimetest.NewCable(t, s.Websocket)
		c := realtimetest.Connect(t, cable.URL, s.Key)
		heard, err := c.Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Recoverable: true})
		if err != nil {
			t.Fatal(err)
		}
		d.Run(t, `{"n": 0}`)
		heard.Until("workflow.execution.completed")
		const runs = 30
		for n := range runs {
			switch n % 10 { // 3 events for each run: fewer than the history holds are missed
			case 2:
				cable.Cut()
			case 7:
				cable.Mend()
				// What comes before the client is back counts against the history, too.
				apptest.Until(t, 30*time.Second, "the client to be back", func() bool { return heard.State() == centrifuge.SubStateSubscribed })
			}
			d.Run(t, fmt.Sprintf(`{"n": %d}`, n+1))
			// A run is seen to have ended before that is told: the next one must not be
			// told first.
			apptest.Until(t, 30*time.Second, "the events of a run to be told", func() bool { return published(t, s) == 3*(n+2) })
		}
		var all []string
		for range runs {
			for _, e := range heard.Until("workflow.execution.completed") {
				all = append(all, e.Type)
				if e.Type == realtimetest.Lost || e.Type == "gap" {
					t.Errorf("something was lost: %s", e.Type)
				}
				if n := len(all); n%3 == 0 && !strings.Contains(string(e.Payload), fmt.Sprintf(`"result":%d,`, n/3)) {
					t.Errorf("event %d is %s", n, e.Raw)
				}
			}
		}
		for n, kind := range all {
			if want := []string{"webhook.received", "workflow.execution.started", "workflow.execution.completed"}[n%3]; kind != want {
				t.Errorf("event %d is %s, want %s: one is missing or double", n, kind, want)
			}
		}
		heard.Silent()
	})
}

// published is how many events a server has told.
func published(t *testing.T, s *place) int {
	t.Helper()
	_, after, found := strings.Cut(string(s.Do(t, "GET", "/metrics", nil).Body), "\nflowwd_realtime_published_total ")
	n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(after, "\n", 2)[0]))
	if !found || err != nil {
		t.Fatalf("the measurements do not say how many events were told: %v", err)
	}
	return n
}

// Whoever was away for longer than the history reaches is told so.
func TestClientsKnowWhatTheyCannotRecover(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, s *place) {
		d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
		cable := realtimetest.NewCable(t, s.Websocket)
		c := realtimetest.Connect(t, cable.URL, s.Key)
		heard, err := c.Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Recoverable: true})
		if err != nil {
			t.Fatal(err)
		}
		cable.Cut()
		for range 20 { // 60 events; the history has 50
			d.Run(t, `{}`)
		}
		cable.Mend()
		heard.Until(realtimetest.Lost)
		last := d.Run(t, `{}`)
		for {
			events := heard.Until("workflow.execution.completed")
			if strings.Contains(string(events[len(events)-1].Payload), last.ID) {
				return
			}
		}
	})
}

// A server that is killed is followed again by itself once it is back, and the
// client knows that it must load the state anew.
func TestKilledServerIsFollowedAgain(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := apptest.StartProcess(t, dir)
	p.Key = key
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := p.Deploy(t, "mine", apptest.Handler(`return 1`))
	c := realtimetest.Connect(t, websocket(p.URL), key)
	heard, err := c.Subscribe("workflow:"+d.WorkflowID, centrifuge.SubscriptionConfig{Recoverable: true})
	if err != nil {
		t.Fatal(err)
	}
	d.Run(t, `{}`)
	heard.Until("workflow.execution.completed")
	p.Kill(t)
	again := apptest.StartProcess(t, dir, "--listen", u.Host)
	again.Key = key
	heard.Until(realtimetest.Lost)
	d.At(again.Client).Run(t, `{}`)
	heard.Until("workflow.execution.completed")
}
