package realtime

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// sick answers in place of Centrifugo: with trouble until it is healed, and then
// as it should.
type sick struct {
	trouble func(w http.ResponseWriter, r *http.Request)
	healed  chan struct{}

	mu    sync.Mutex
	heard []string
}

func (s *sick) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // also so that the end of the connection is seen
	select {
	case <-s.healed:
		var call struct {
			Params struct{ Data json.RawMessage }
		}
		_ = json.Unmarshal(body, &call) // what is none is not heard
		s.mu.Lock()
		s.heard = append(s.heard, string(call.Params.Data))
		s.mu.Unlock()
		_, _ = io.WriteString(w, `{"result":{}}`)
	default:
		s.trouble(w, r)
	}
}

// hears reports whether something with all the texts was published.
func (s *sick) hears(texts ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, data := range s.heard {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(data, text)
		}
		if all {
			return true
		}
	}
	return false
}

// Whatever Centrifugo does, events are acknowledged and runs end meanwhile; what
// could not be told is counted, and told to be missing once it can be.
func TestTroubleOfCentrifugoCostsNoRun(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]http.HandlerFunc{
		"never answers": nil,
		"is not there":  nil,
		"answers an error in 200": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"error":{"code":100,"message":"internal server error"}}`)
		},
		"refuses":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"is no Centrifugo": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"cuts":             func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &sick{trouble: trouble, healed: make(chan struct{})}
			if trouble == nil {
				s.trouble = func(_ http.ResponseWriter, r *http.Request) {
					select {
					case <-r.Context().Done():
					case <-s.healed:
					}
				}
			}
			testTrouble(t, s, name == "is not there")
		})
	}
}

func testTrouble(t *testing.T, s *sick, absent bool) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	web := &http.Server{Handler: s}
	t.Cleanup(func() { _ = web.Close() }) // the test is over
	if absent {
		_ = l.Close() // until it is healed
	} else {
		go func() { _ = web.Serve(l) }() // ends with the test
	}
	server := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.CentrifugoHost, c.CentrifugoPort, c.CentrifugoKey, c.CentrifugoSecret = "127.0.0.1", address.Port, "a key of sixteen characters", strings.Repeat("s", 32)
	}})
	d := server.Deploy(t, "mine", apptest.Handler(`console.log(event.body.n); return event.body.n`))
	var sent []string
	for range 40 {
		sent = append(sent, d.Send(t, `{"n": 1}`))
	}
	for _, x := range sent {
		if e := server.Ended(t, x); e.Status != "completed" || len(e.LogEntries) != 1 {
			t.Errorf("a run is %s with %v: %s", e.Status, e.Messages(), e.ErrorMessage)
		}
	}
	apptest.Until(t, 60*time.Second, "events to be dropped", func() bool {
		return !strings.Contains(string(server.Do(t, "GET", "/metrics", nil).Body), "\nflowwd_realtime_dropped_total 0\n")
	})
	close(s.healed)
	if absent {
		l, err = net.Listen("tcp", address.String())
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = web.Serve(l) }() // ends with the test
	}
	// Nothing else happens, and those who follow are told that they missed it.
	apptest.Until(t, 60*time.Second, "word of the gap", func() bool { return s.hears(`"type":"gap"`, d.WorkflowID) })
	apptest.Until(t, 60*time.Second, "events to be told again", func() bool {
		x := d.Run(t, `{"n": 2}`).ID
		return s.hears("workflow.execution.completed", x) && s.hears("webhook.received", x)
	})
}
