package centrifugo

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/realtime"
)

// server is the Server of a handler.
func server(t *testing.T, h http.HandlerFunc) *Server {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	u, err := url.Parse(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	s := New(u.Hostname(), port, "the key of the API")
	t.Cleanup(s.Close)
	return s
}

func TestCallsAreAsEveryVersionReadsThem(t *testing.T) {
	t.Parallel()
	var got []string
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-API-Key")+" "+string(body))
		_, _ = io.WriteString(w, `{"result":{"presence":{"c":{"user":"00000000-0000-0000-0000-000000000001","conn_info":{"user_id":"00000000-0000-0000-0000-000000000001"}}}}}`)
	})
	ctx := t.Context()
	if err := s.Publish(ctx, "workflow:x", []byte(`{"a":1}`), realtime.Options{Passing: true}); err != nil {
		t.Fatal(err)
	}
	there, err := s.Present(ctx, "workflow:x", id.ID{15: 1})
	if err != nil || !there {
		t.Errorf("present: %t, %v", there, err)
	}
	if there, _ = s.Present(ctx, "workflow:x", id.ID{15: 2}); there {
		t.Error("somebody else is present")
	}
	if err := s.Recheck(ctx, id.ID{15: 1}); err != nil {
		t.Fatal(err)
	}
	const head = "POST /api apikey the key of the API the key of the API "
	for i, want := range []string{
		`{"method":"publish","params":{"channel":"workflow:x","data":{"a":1},"skip_history":true,"idempotency_key":"AVq9f1zFei3ZS3WQ8ErYCA"}}`,
		`{"method":"presence","params":{"channel":"workflow:x"}}`,
		`{"method":"presence","params":{"channel":"workflow:x"}}`,
		`{"method":"disconnect","params":{"disconnect":{"code":3011,"reason":"force reconnect"},"user":"00000000-0000-0000-0000-000000000001"}}`,
	} {
		if got[i] != head+want {
			t.Errorf("call %d is %s, want %s", i, got[i], head+want)
		}
	}
}

func TestFailuresOfCentrifugo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"an error inside of 200": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"error":{"code":102,"message":"unknown channel"}}`)
		}, "unknown channel (102)"},
		"another status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "401"},
		"no JSON":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "no JSON object"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, "307"},
	} {
		err := server(t, c.answer).Publish(t.Context(), "workflow:x", []byte(`{}`), realtime.Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	gone := New("127.0.0.1", 1, "key")
	if err := gone.Healthy(t.Context()); err == nil {
		t.Error("a server that is not there is healthy")
	}
	slow := server(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // without it the end of the connection is not seen
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := slow.Publish(ctx, "workflow:x", []byte(`{}`), realtime.Options{}); err == nil {
		t.Error("a server that does not answer has published")
	}
}

func TestConfigurationIsWhole(t *testing.T) {
	t.Parallel()
	text, err := Configuration(Installation{
		PublicURL: "https://flows.example/", Port: 5001, ClientPort: 8000, APIKey: "k", TokenSecret: "t", ProxySecret: "p", AdminPassword: "a", AdminSecret: "s",
	})
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Client struct {
			Anonymous bool     `json:"allow_anonymous_connect_without_token"`
			Origins   []string `json:"allowed_origins"`
			Token     struct {
				Secret string `json:"hmac_secret_key"`
			}
			Proxy struct{ Connect proxyOf }
		}
		Channel struct {
			Proxy      struct{ Subscribe proxyOf }
			Namespaces []struct {
				Name    string
				Asks    bool `json:"subscribe_proxy_enabled"`
				Open    bool `json:"allow_subscribe_for_client"`
				History int  `json:"history_size"`
			}
		}
		HTTPServer struct {
			Port     int
			Internal int `json:"internal_port"`
		} `json:"http_server"`
		Admin struct{ Insecure bool }
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	for _, p := range []proxyOf{c.Client.Proxy.Connect, c.Channel.Proxy.Subscribe} {
		if !strings.HasPrefix(p.Endpoint, "https://flows.example/centrifugo/") || len(p.Real) != 2 || len(p.Emulated) != 2 || p.HTTP.Static[ProxyHeader] != "p" {
			t.Errorf("a proxy is configured as %+v", p)
		}
	}
	if n := c.Channel.Namespaces; len(n) != 1 || n[0].Name != "workflow" || !n[0].Asks || n[0].Open || n[0].History != realtime.HistorySize {
		t.Errorf("the namespaces are %+v", n)
	}
	if c.Client.Anonymous || c.Client.Token.Secret != "t" || c.HTTPServer.Internal != 5001 || c.HTTPServer.Port != 8000 || c.Admin.Insecure {
		t.Errorf("configured as %s", text)
	}
}

type proxyOf struct {
	Endpoint string
	Real     []string `json:"http_headers"`
	Emulated []string `json:"emulated_headers"`
	HTTP     struct {
		Static map[string]string `json:"static_headers"`
	}
}

// The admin pages are passed on without what opens this server, and with a token
// that the browser never sees.
func TestAdminPages(t *testing.T) {
	t.Parallel()
	logins := 0
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/admin/auth" {
			logins++
			if r.FormValue("password") != "secret" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			_, _ = io.WriteString(w, `{"token":"t1"}`)
			return
		}
		if r.Header.Get("Cookie") != "" || strings.HasPrefix(r.Header.Get("Authorization"), "Bearer") || strings.Contains(r.Host, "flows.example") {
			t.Errorf("%s is passed on with %v for %s", r.URL.Path, r.Header, r.Host)
		}
		_, _ = io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
	})
	a, err := NewAdmin(s, "secret", slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (string, error) {
		r := httptest.NewRequest(http.MethodGet, "https://flows.example/admin/centrifugo"+path, nil)
		r.Header.Set("Cookie", "session=x")
		r.Header.Set("Authorization", "Bearer x")
		rec := httptest.NewRecorder()
		err := a.Serve(rec, r, strings.SplitN(path, "?", 2)[0])
		return rec.Body.String(), err
	}
	for path, want := range map[string]string{
		"/": "GET / ", "/assets/a.js?v=1": "GET /assets/a.js?v=1 ", "/admin/api": "GET /admin/api token t1",
		"/admin/init": `{"insecure":true,"edition":"oss","authenticated":true}`,
	} {
		if got, err := ask(path); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", path, got, err, want)
		}
	}
	for _, path := range []string{"/api", "/api/publish", "/connection/websocket", "/admin/auth", "/ws/x", "/x/../api", "/metrics", "/debug/pprof"} {
		if got, err := ask(path); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: got %q, %v; want it closed", path, got, err)
		}
	}
	if logins != 1 {
		t.Errorf("logged in %d times, want once", logins)
	}
	wrong, err := NewAdmin(s, "other", slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), "/admin/api"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("with another password: %v", err)
	}
}

// What is for some users alone is published to all when nobody else is there, and
// otherwise without what others must not know.
func TestForSomeUsersAlone(t *testing.T) {
	t.Parallel()
	program := func(n string) string {
		return `{"user":"00000000-0000-0000-0000-00000000000` + n + `","conn_info":{"user_id":"00000000-0000-0000-0000-00000000000` + n + `"}}`
	}
	for what, c := range map[string]struct{ presence, want string }{
		"them alone":            {`{"result":{"presence":{"a":` + program("1") + `}}}`, `"secret"`},
		"them and others":       {`{"result":{"presence":{"a":` + program("1") + `,"b":` + program("2") + `}}}`, `"open"`},
		"a page of theirs":      {`{"result":{"presence":{"a":{"user":"00000000-0000-0000-0000-000000000001","conn_info":{"user_id":"x","page":true}}}}}`, `"open"`},
		"somebody with a token": {`{"result":{"presence":{"a":{"user":"00000000-0000-0000-0000-000000000001"}}}}`, `"open"`},
		"nobody knows":          {`{"error":{"code":100,"message":"internal"}}`, `"open"`},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			published := ""
			s := server(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if strings.Contains(string(body), `"presence"`) {
					_, _ = io.WriteString(w, c.presence)
					return
				}
				published = string(body)
				_, _ = io.WriteString(w, `{"result":{}}`)
			})
			err := s.Publish(t.Context(), "workflow:x", []byte(`"secret"`), realtime.Options{Only: []id.ID{{15: 1}}, Otherwise: []byte(`"open"`)})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(published, `"data":`+c.want) || !strings.Contains(published, `"skip_history":true`) {
				t.Errorf("published %s, want %s, in no history", published, c.want)
			}
		})
	}
}
