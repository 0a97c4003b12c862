package centrifugo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/realtime"
)

// settled is a Centrifugo as a configuration made it: how it answers clients. The
// zero value is one that is configured as it should be.
type settled struct {
	version string
	// anonymous, byHeader and byToken are the codes that connections are ended
	// with; connected for one that is let in.
	anonymous, byHeader, byToken int
	// temporary answers clients without a credential with an error that is none
	// for good.
	temporary bool
	// subscribe and withHeader are the codes that refuse subscriptions.
	subscribe, withHeader int
	// open lets everybody read the history.
	open bool
	// forgets is a server without history.
	forgets bool
}

// connected stands for no refusal.
const connected = -1

func (s settled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api" {
		s.api(w, r)
		return
	}
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	headers := false
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		for line := range bytes.Lines(text) {
			var c struct {
				ID      int
				Connect *struct {
					Token   string
					Headers map[string]string
				}
				Subscribe, History *struct{}
			}
			if json.Unmarshal(line, &c) != nil {
				return
			}
			ended, refused := 0, 0
			switch {
			case c.Connect != nil && c.Connect.Token != "":
				headers, ended = len(c.Connect.Headers) > 0, cmp.Or(s.byToken, connected)
			case c.Connect != nil && len(c.Connect.Headers) > 0:
				ended = cmp.Or(s.byHeader, MisplacedCode)
			case c.Connect != nil && s.temporary:
				refused = 100
			case c.Connect != nil:
				ended = cmp.Or(s.anonymous, unauthorizedCode)
			case c.Subscribe != nil && headers:
				refused = cmp.Or(s.withHeader, MisplacedRefusal)
			case c.Subscribe != nil:
				refused = cmp.Or(s.subscribe, codeRefused)
			case c.History == nil || !s.open:
				refused = codeDenied
			}
			if ended > 0 {
				_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(ended, "over"), time.Now().Add(time.Second))
				return
			}
			answer := map[string]any{"id": c.ID, "connect": map[string]any{}, "subscribe": map[string]any{}, "history": map[string]any{}}
			if refused > 0 {
				answer = map[string]any{"id": c.ID, "error": map[string]any{"code": refused, "message": "no"}}
			}
			if conn.WriteJSON(answer) != nil {
				return
			}
		}
	}
}

func (s settled) api(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case strings.Contains(string(body), `"info"`):
		_, _ = io.WriteString(w, `{"result":{"nodes":[{"version":"`+cmp.Or(s.version, "6.9.1")+`"}]}}`)
	case strings.Contains(string(body), `"history"`) && s.forgets:
		_, _ = io.WriteString(w, `{"error":{"code":108,"message":"not available"}}`)
	default:
		_, _ = io.WriteString(w, `{"result":{"publications":[{}]}}`)
	}
}

// Each fault of a configuration is told in one sentence, which says what to do;
// a right one is not complained about.
func TestCheckTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settled settled
		admin   error
		says    string
	}{
		"right":                           {settled{}, nil, ""},
		"a version that is too old":       {settled{version: "5.4.9"}, nil, "use version 6"},
		"anybody connects":                {settled{anonymous: connected}, nil, "turn its connect proxy on"},
		"a refusal that is not for good":  {settled{temporary: true}, nil, "status_to_code_transforms"},
		"another secret":                  {settled{byToken: 3500}, nil, "client.token.hmac_secret_key"},
		"headers don't arrive":            {settled{byHeader: unauthorizedCode}, nil, "emulated_headers of client.proxy.connect"},
		"headers don't arrive, subscribe": {settled{withHeader: codeRefused}, nil, "emulated_headers of channel.proxy.subscribe"},
		"nobody is asked":                 {settled{subscribe: codeDenied}, nil, "set subscribe_proxy_enabled"},
		"everybody may":                   {settled{subscribe: connected}, nil, "lets everybody who is logged in subscribe"},
		"no namespace":                    {settled{subscribe: codeUnknownChannel}, nil, "add the namespace"},
		"the question gets lost":          {settled{subscribe: 100}, nil, "channel.proxy.subscribe"},
		"the history is open":             {settled{open: true}, nil, "read the history of every workflow"},
		"no history":                      {settled{forgets: true}, nil, "history_size"},
		"another password":                {settled{}, errors.New("it answers 400"), "admin pages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t, c.settled.ServeHTTP)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			problems := s.Check(ctx, Checked{
				WebsocketURL: "ws" + strings.TrimPrefix(s.url, "http") + "/ws/connection/websocket", Stranger: id.ID{15: 7},
				Tokens: &realtime.Tokens{Secret: []byte("secret"), IDs: id.NewSource(time.Now), Now: time.Now},
				Admin:  func(context.Context) error { return c.admin },
			})
			if c.says == "" && len(problems) == 0 {
				return
			}
			if len(problems) != 1 || c.says == "" || !strings.Contains(problems[0].Error(), c.says) {
				t.Errorf("it says %q, want one sentence with %q", problems, c.says)
			}
		})
	}
}

func TestCheckOfWhoIsNotThere(t *testing.T) {
	t.Parallel()
	checked := Checked{
		Stranger: id.ID{15: 7}, Tokens: &realtime.Tokens{Secret: []byte("secret"), IDs: id.NewSource(time.Now), Now: time.Now},
		Admin: func(context.Context) error { return nil }, WebsocketURL: "ws://127.0.0.1:1/ws/connection/websocket",
	}
	if got := New("127.0.0.1", 1, "key").Check(t.Context(), checked); len(got) != 1 || !strings.Contains(got[0].Error(), "CENTRIFUGO_PORT") {
		t.Errorf("without a server it says %q", got)
	}
	if got := server(t, settled{}.ServeHTTP).Check(t.Context(), checked); len(got) != 1 || !strings.Contains(got[0].Error(), checked.WebsocketURL) {
		t.Errorf("where clients can't connect it says %q", got)
	}
}
