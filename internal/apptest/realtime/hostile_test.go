package realtime

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// hostile is whoever means a server harm, with a credential that is good.
type hostile struct {
	t      *testing.T
	server *apptest.Process
	flow   *apptest.Deployed
	// honest follows the workflow, and told is what it heard of each run.
	honest *realtimetest.Subscription
	told   map[string][]string
}

// run runs the workflow once, and waits until the honest client was told all
// about it.
func (h *hostile) run(body string) {
	h.t.Helper()
	id := h.flow.Send(h.t, body)
	for len(h.told[id]) < 3 {
		e := h.honest.Next()
		var about struct {
			ID string `json:"execution_id"`
		}
		if err := json.Unmarshal(e.Payload, &about); err != nil || about.ID != id {
			h.t.Fatalf("heard %s %s after the run %s had begun", e.Type, e.Raw, id)
		}
		h.told[id] = append(h.told[id], e.Type)
	}
}

// dial opens a connection that is in, and of whose buffers the machine keeps
// little.
func (h *hostile) dial() *gorilla.Conn {
	h.t.Helper()
	conn := h.connection()
	if conn == nil {
		h.t.FailNow()
	}
	h.send(conn, `{"id":1,"connect":{}}`)
	if _, answer, err := conn.ReadMessage(); err != nil || !bytes.Contains(answer, []byte(`"connect"`)) {
		h.t.Errorf("connect: %s %v", answer, err)
	}
	return conn
}

// connection opens one that has said nothing yet; nil, and a failed test, when it
// can't.
func (h *hostile) connection() *gorilla.Conn {
	h.t.Helper()
	small := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4096)
		}
		return conn, err
	}
	d := gorilla.Dialer{NetDialContext: small, HandshakeTimeout: 20 * time.Second}
	conn, _, err := d.Dial(websocket(h.server.URL), http.Header{"Authorization": {"Bearer " + h.server.Key}})
	if err != nil {
		h.t.Errorf("open a connection: %v", err)
		return nil
	}
	return conn
}

// send writes a frame; what the server no longer takes is what the tests are
// about.
func (h *hostile) send(conn *gorilla.Conn, frame string) {
	_ = conn.WriteMessage(gorilla.TextMessage, []byte(frame))
}

// answers reads until the server has answered n commands or ends the connection.
func answers(conn *gorilla.Conn, n int) (all []string) {
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for len(all) < n {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return all
		}
		for line := range strings.Lines(string(frame)) {
			if strings.Contains(line, `"id":`) {
				all = append(all, line)
			}
		}
	}
	return all
}

// asksForTooMuch subscribes to more channels than one may follow, and to 10,000
// that are not there.
func (h *hostile) asksForTooMuch() {
	conn := h.dial()
	defer conn.Close()
	const most, more = 128, 130
	for i := range more {
		h.send(conn, fmt.Sprintf(`{"id":%d,"subscribe":{"channel":"workflow:%s"}}`, i+2, h.server.CreateWorkflow(h.t, fmt.Sprint("followed ", i))))
	}
	opened := 0
	for _, a := range answers(conn, more) {
		if strings.Contains(a, `"subscribe"`) {
			opened++
		}
	}
	if opened != most {
		h.t.Errorf("a connection follows %d of %d channels, want %d", opened, more, most)
	}

	stranger := h.dial()
	defer stranger.Close()
	const many = 10_000
	go func() {
		for i := range many {
			h.send(stranger, fmt.Sprintf(`{"id":%d,"subscribe":{"channel":"workflow:00000000-0000-4000-8000-%012d"}}`, i+2, i))
		}
	}()
	for _, a := range answers(stranger, many) {
		if !strings.Contains(a, `"error"`) {
			h.t.Errorf("a channel that is not there is answered %s", a)
		}
	}
	h.cut(stranger)
}

// neverReads follows the workflow and takes nothing of what it is told.
func (h *hostile) neverReads() {
	for range 20 {
		conn := h.dial()
		defer conn.Close()
		h.send(conn, `{"id":2,"subscribe":{"channel":"workflow:`+h.flow.WorkflowID+`"}}`)
	}
	for range 150 {
		h.run(`{"pad": "` + strings.Repeat("x", 30<<10) + `"}`)
	}
	apptest.Until(h.t, 30*time.Second, "those to be cut off who don't read", func() bool { return h.connections() == 1 })
}

// cut waits until the server has ended a connection.
func (h *hostile) cut(conn *gorilla.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, err := io.Copy(io.Discard, conn.NetConn())
	if e, ok := err.(net.Error); ok && e.Timeout() {
		h.t.Error("the connection is still open")
	}
}

// sendsTooMuch sends frames that are greater than any may be.
func (h *hostile) sendsTooMuch() {
	for _, frame := range []string{
		`{"id":2,"subscribe":{"channel":"` + strings.Repeat("x", 1<<20) + `"}}`,
		strings.Repeat(" ", 10<<20), strings.Repeat("[", 1<<20), `{"id":2,"rpc":{"data":` + strings.Repeat(`{"a":`, 100_000),
	} {
		conn := h.dial()
		h.send(conn, frame)
		h.cut(conn)
		_ = conn.Close()
	}
	conn := h.dial() // and as many commands as go into one
	h.send(conn, strings.Repeat(`{"id":2,"subscribe":{"channel":"x"}}`+"\n", 1700))
	answers(conn, 1)
	_ = conn.Close()
}

// sendsNonsense sends what is no frame, no command, or none at that place.
func (h *hostile) sendsNonsense() {
	for _, frame := range []string{
		"", "\n", "x", "{", "[]", "null", `"connect"`, "\xff\xfe", "{}{}{}", `{"id":-1,"connect":{}}`, `{"id":99999999999999999999}`, `{"id":1}`, `{"id":2,"connect":{}}`,
		`{"id":2,"subscribe":{}}`, `{"id":2,"subscribe":{"channel":""}}`, `{"id":2,"subscribe":[1]}`, `{"id":2,"unsubscribe":{"channel":"x"}}`, `{"id":2,"rpc":{"method":"x"}}`,
		`{"id":2,"publish":{"channel":"workflow:events","data":{}}}`, `{"id":2,"presence":{"channel":"workflow:events"}}`, `{"id":2,"history":{"channel":"workflow:events","limit":-1}}`,
		`{"id":2,"refresh":{"token":"x"}}`, `{"id":2,"sub_refresh":{"channel":"x","token":"x"}}`, `{"id":2,"send":{"data":1}}`, `{"id":2,"subscribe":{"channel":"workflow:events","recover":true,"epoch":"x","offset":18446744073709551615}}`,
	} {
		for _, opened := range []bool{false, true} {
			conn := h.connection()
			if conn == nil {
				return
			}
			if opened {
				h.send(conn, `{"id":1,"connect":{}}`)
			}
			h.send(conn, frame)
			_ = conn.WriteMessage(gorilla.BinaryMessage, []byte(frame+"\x00\x01"))
			_ = conn.Close()
		}
	}
	for _, raw := range []string{"\xf1\x85", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", "\x01\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00", "GET / HTTP/1.1\r\n\r\n", "\x89\xfe\xff\xff"} {
		conn := h.dial()
		_, _ = conn.NetConn().Write([]byte(raw))
		_ = conn.Close()
	}
}

// comesAndGoes connects again and again, most times without a word of farewell.
func (h *hostile) comesAndGoes() {
	var storm sync.WaitGroup
	for n := range 16 {
		storm.Go(func() {
			for i := range 40 {
				conn := h.connection()
				if conn == nil {
					return
				}
				h.send(conn, `{"id":1,"connect":{}}`+"\n"+`{"id":2,"subscribe":{"channel":"workflow:`+h.flow.WorkflowID+`"}}`)
				if (n+i)%2 == 0 {
					_, _, _ = conn.ReadMessage()
				}
				_ = conn.Close()
			}
		})
	}
	storm.Wait()
}

// abusesTheFallbacks opens streams that nobody reads, and sends to those of
// others.
func (h *hostile) abusesTheFallbacks() {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ctx, leave := context.WithCancel(h.t.Context())
	defer leave()
	ask := func(method, path, body string) int {
		r, err := http.NewRequestWithContext(ctx, method, h.server.URL+path, strings.NewReader(body))
		if err != nil {
			h.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+h.server.Key)
		answer, err := transport.RoundTrip(r)
		if err != nil {
			return 0
		}
		if answer.StatusCode != http.StatusOK {
			_ = answer.Body.Close()
		}
		return answer.StatusCode // those that are streams end with the context
	}
	for range 20 {
		for _, s := range []struct{ method, path, body string }{
			{"POST", "/ws/connection/http_stream", `{"id":1,"connect":{}}`}, {"POST", "/connection/sse", `{"id":1,"connect":{}}`},
			{"GET", "/ws/connection/sse?cf_connect=%7B%22id%22%3A1%2C%22connect%22%3A%7B%7D%7D", ""},
		} {
			if status := ask(s.method, s.path, s.body); status != http.StatusOK {
				h.t.Errorf("%s %s: %d", s.method, s.path, status)
			}
		}
	}
	for _, s := range []struct{ method, path, body string }{
		{"POST", "/ws/connection/http_stream", "x"}, {"POST", "/ws/connection/http_stream", strings.Repeat("x", 1<<20)},
		{"GET", "/ws/connection/sse?cf_connect=" + strings.Repeat("x", 60<<10), ""}, {"GET", "/ws/connection/sse?cf_connect=%7B", ""},
		{"POST", "/ws/emulation", "x"}, {"POST", "/ws/emulation", `{"session":"x","node":"x","data":"x"}`}, {"POST", "/emulation", strings.Repeat("x", 1<<20)},
	} {
		if status := ask(s.method, s.path, s.body); status >= http.StatusInternalServerError {
			h.t.Errorf("%s %.40s: %d", s.method, s.path, status)
		}
	}
}

// Whatever clients do, the server stays up, takes a bounded part of the memory,
// tells the others all there is to tell, and keeps nothing of those who are gone.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := apptest.StartProcess(t, dir)
	p.Key = key
	h := &hostile{t: t, server: p, flow: p.Deploy(t, "mine", apptest.Handler(`return event.body`)), told: map[string][]string{}}
	var err error
	h.honest, err = realtimetest.Connect(t, websocket(p.URL), key).Subscribe("workflow:" + h.flow.WorkflowID)
	if err != nil {
		t.Fatal(err)
	}
	before := h.measured("go_goroutines")
	for _, attack := range []struct {
		name string
		run  func()
	}{
		{"nothing", func() {}},
		{"10,000 channels", h.asksForTooMuch},
		{"never reads", h.neverReads},
		{"frames too large", h.sendsTooMuch},
		{"nonsense", h.sendsNonsense},
		{"a storm of connections", h.comesAndGoes},
		{"streams", h.abusesTheFallbacks},
	} {
		attack.run()
		h.run(`{}`)
		apptest.Until(t, 30*time.Second, "those of "+attack.name+" to be gone", func() bool { return h.connections() == 1 })
	}
	for id, kinds := range h.told {
		if !slices.Equal(kinds, []string{"webhook.received", "workflow.execution.started", "workflow.execution.completed"}) {
			t.Errorf("told of run %s: %v", id, kinds)
		}
	}
	if most := h.measured("process_resident_memory_bytes"); most > 256<<20 {
		t.Errorf("the server takes %.0f MB", most/(1<<20))
	}
	// Each connection has two of its own; a few are the honest client's requests'.
	apptest.Until(t, 30*time.Second, "nothing to be left of them", func() bool { return h.measured("go_goroutines") < before+20 })
}

// connections is how many clients the server has.
func (h *hostile) connections() float64 { return h.measured("flowwd_realtime_connections") }

// measured reads a measurement of the server.
func (h *hostile) measured(name string) float64 {
	h.t.Helper()
	text := string(h.server.Do(h.t, "GET", "/metrics", nil).Body)
	found := regexp.MustCompile(`(?m)^` + name + ` (.+)$`).FindStringSubmatch(text)
	if found == nil {
		h.t.Fatalf("no measurement %s in %s", name, text)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		h.t.Fatal(err)
	}
	return value
}
