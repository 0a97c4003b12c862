package api

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtime"
	"github.com/usefloww/flowwd/internal/realtime/centrifugo"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Realtime is what the operations about realtime events work with.
type Realtime struct {
	Gate   *realtime.Gate
	Tokens *realtime.Tokens
	// ProxySecret is what a Centrifugo server shows when it asks.
	ProxySecret string
	// FromCentrifugo reports whether a request comes from the machine that a
	// Centrifugo server runs on, which needs no secret then.
	FromCentrifugo func(r *http.Request) bool
	// Door is where clients connect when there is no Centrifugo server; nil when
	// there is one.
	Door Door
}

// Door serves the connections of realtime clients. The address is the client's.
type Door interface {
	Websocket(w http.ResponseWriter, r *http.Request, address string) error
	ServerSentEvents(w http.ResponseWriter, r *http.Request, address string) error
	Stream(w http.ResponseWriter, r *http.Request, address string) error
	Emulate(w http.ResponseWriter, r *http.Request, address string) error
}

// maxProxyBody bounds the questions of a Centrifugo server.
const maxProxyBody = 64 << 10

// registerProxy registers what a Centrifugo server asks: X1 and X2. Whoever asks
// without its secret or from elsewhere learns nothing, also not whether a
// credential is good.
func registerProxy(r *route.Router, d Deps) {
	p := proxy{d.Realtime}
	for path, answer := range map[string]func(http.ResponseWriter, *http.Request, []byte) error{"connect": p.connect, "subscribe": p.subscribe} {
		route.Raw(r, route.Spec{
			Method: http.MethodPost, Path: "/centrifugo/" + path, Aliases: []string{"/api/centrifugo/" + path},
			Policy: access.Public(access.AskRealtime), Body: true, BodyLimit: maxProxyBody, Quiet: true,
		}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
			if !p.asksForCentrifugo(r) {
				return fault.New(fault.Denied, "Only the realtime server may ask this; its configuration (flowwd centrifugo config) holds the header %s", centrifugo.ProxyHeader)
			}
			w.Header().Set("Cache-Control", "no-store")
			return answer(w, r, c.Body)
		})
	}
}

type proxy struct{ Realtime }

func (p proxy) asksForCentrifugo(r *http.Request) bool {
	if p.FromCentrifugo != nil && p.FromCentrifugo(r) {
		return true
	}
	given := r.Header.Get(centrifugo.ProxyHeader)
	return p.ProxySecret != "" && subtle.ConstantTimeCompare([]byte(given), []byte(p.ProxySecret)) == 1
}

// question is what matters of a question; all else in it, of whatever type, is
// left alone.
type question struct {
	User    json.RawMessage `json:"user"`
	Channel json.RawMessage `json:"channel"`
}

func readQuestion(body []byte) (user, channel string, err error) {
	var q question
	if json.Unmarshal(body, &q) != nil {
		return "", "", fault.New(fault.Invalid, "The body must be a JSON object, as Centrifugo sends it")
	}
	text := func(raw json.RawMessage) (s string) {
		_ = json.Unmarshal(raw, &s) // what is no text is none
		return s
	}
	return text(q.User), text(q.Channel), nil
}

// who returns whom the headers that a client sent belong to.
func (p proxy) who(r *http.Request) (identity.Principal, error) {
	c := identity.Credential{Bearer: bearerOf(r.Header.Get("Authorization")), Address: route.ClientAddress(r.Context())}
	if cookie, err := r.Cookie(identity.SessionCookie); err == nil {
		c.Cookie = cookie.Value
	}
	who, err := p.Gate.Connect(r.Context(), c)
	if fault.Is(err, fault.Denied) {
		// For the realtime server 401 alone is a final no.
		err = fault.Because(err, fault.Unauthenticated, "This account may not connect")
	}
	return who, err
}

// bearerOf returns the credential of an Authorization header.
func bearerOf(header string) string {
	scheme, credential, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credential)
}

// misplaced reports whether a realtime token is shown as a credential.
func (p proxy) misplaced(r *http.Request) bool {
	_, err := p.Tokens.Check(bearerOf(r.Header.Get("Authorization")), "")
	return err == nil
}

func (p proxy) connect(w http.ResponseWriter, r *http.Request, body []byte) error {
	if _, _, err := readQuestion(body); err != nil {
		return err
	}
	if p.misplaced(r) {
		return route.WriteJSON(w, http.StatusOK, map[string]any{
			"disconnect": map[string]any{"code": centrifugo.MisplacedCode, "reason": "a realtime token is no header"},
		})
	}
	who, err := p.who(r)
	if err != nil {
		return err
	}
	about := realtime.Info{UserID: who.ID.String(), Page: bearerOf(r.Header.Get("Authorization")) == ""}
	return route.WriteJSON(w, http.StatusOK, map[string]any{
		"result": map[string]any{"user": who.ID, "info": about, "meta": about},
	})
}

func (p proxy) subscribe(w http.ResponseWriter, r *http.Request, body []byte) error {
	user, channel, err := readQuestion(body)
	if err != nil {
		return err
	}
	if p.misplaced(r) {
		return route.WriteJSON(w, http.StatusOK, map[string]any{
			"error": map[string]any{"code": centrifugo.MisplacedRefusal, "message": "a realtime token is no header"},
		})
	}
	who, err := p.who(r)
	if err == nil && user != "" && user != who.ID.String() {
		err = realtime.ErrChannel()
	}
	if err == nil {
		_, err = p.Gate.Subscribe(r.Context(), who, channel)
	}
	switch {
	case err == nil:
		result := map[string]any{"info": map[string]any{"user_id": who.ID}}
		if channel == realtime.EventsChannel {
			// Everybody is there: it must not tell tenants of each other.
			result["override"] = map[string]any{"presence": map[string]any{"value": false}}
		}
		return route.WriteJSON(w, http.StatusOK, map[string]any{"result": result})
	case realtime.Final(err):
		return route.WriteJSON(w, http.StatusOK, map[string]any{
			"error": map[string]any{"code": http.StatusForbidden, "message": realtime.ErrChannel().Error()},
		})
	default:
		return err
	}
}

// registerDoor registers where clients connect to the node in this process.
func registerDoor(r *route.Router, door Door) {
	add := func(method string, paths []string, s route.Spec, serve func(http.ResponseWriter, *http.Request, string) error) {
		s.Method, s.Path, s.Aliases, s.Policy = method, paths[0], paths[1:], access.Public(access.ConnectRealtime)
		route.Raw(r, s, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
			return serve(w, r, route.ClientAddress(r.Context()))
		})
	}
	under := func(name string) []string { return []string{"/ws/connection/" + name, "/connection/" + name} }
	add(http.MethodGet, under("websocket"), route.Spec{Quiet: true}, door.Websocket)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		add(method, under("sse"), route.Spec{Stream: true}, door.ServerSentEvents)
	}
	add(http.MethodPost, under("http_stream"), route.Spec{Stream: true}, door.Stream)
	add(http.MethodPost, []string{"/ws/emulation", "/emulation"}, route.Spec{Quiet: true}, door.Emulate)
}

// tokenBody answers both generations of clients.
type tokenBody struct {
	Token      string    `json:"token"`
	Channel    string    `json:"channel,omitempty"`
	ExpiresIn  int       `json:"expires_in" doc:"In seconds"`
	ExpiresAt  timestamp `json:"expiresAt"`
	UserID     string    `json:"user_id"`
	WorkflowID string    `json:"workflow_id,omitempty"`
}

func showToken(t realtime.Token) *tokenBody {
	return &tokenBody{
		Token: t.Text, Channel: t.Channel, ExpiresIn: int(realtime.TokenLife.Seconds()), ExpiresAt: timestamp(t.Expires), UserID: t.User,
	}
}

func registerTokens(r *route.Router, d Deps) {
	const tag = "Realtime"
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: "/api/realtime/token", Policy: access.Self(access.ReadWhoami),
		OperationID: "create-connection-token", Summary: "Make a token that opens a realtime connection", Tag: tag,
		Description: "For clients that can't send a credential of their own. The connection may subscribe to channels that it has tokens for.",
	}, route.NoObject(), func(_ context.Context, c route.Call[route.None], _ *struct{}) (*tokenBody, error) {
		t, err := d.Realtime.Tokens.Connection(c.Principal.ID)
		if err != nil {
			return nil, err
		}
		return showToken(t), nil
	})
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: workflowsPath + "/{id}/channel-token", Policy: access.Requires(access.ReadExecution),
		OperationID: "create-channel-token", Summary: "Make a token that opens a workflow's channel", Tag: tag,
		Description: "Whoever has the token may follow the workflow until it expires; nothing ends that earlier.",
	}, d.workflow(), func(_ context.Context, c route.Call[workflow.Workflow], _ *struct{}) (*tokenBody, error) {
		t, err := d.Realtime.Tokens.Subscription(c.Principal.ID, realtime.Channel(c.Object.ID))
		if err != nil {
			return nil, err
		}
		body := showToken(t)
		body.WorkflowID = c.Object.ID.String()
		return body, nil
	})
}
