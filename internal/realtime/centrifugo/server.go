package centrifugo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/realtime"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// recheck is the disconnect after which clients connect again at once: code and
// reason are those of Centrifugo itself. Its "state invalidated" would have clients
// ask for a token that they never had.
const (
	recheckCode   = 3011
	recheckReason = "force reconnect"
)

// Server publishes at a Centrifugo server. Safe for concurrent use.
type Server struct {
	url, key string
	client   *http.Client
}

var _ realtime.Transport = (*Server)(nil)

// New returns the Server with the HTTP API at a host and port.
func New(host string, port int, key string) *Server {
	return &Server{
		url: "http://" + net.JoinHostPort(host, strconv.Itoa(port)), key: key,
		client: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext},
			// The key must not follow to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close closes idle connections.
func (s *Server) Close() { s.client.CloseIdleConnections() }

// Publish implements realtime.Transport.
func (s *Server) Publish(ctx context.Context, channel string, data []byte, o realtime.Options) error {
	once := realtime.Once(data)
	if len(o.Only) > 0 {
		// It has no way to some of a channel's subscribers alone. When they can't
		// be told, or there are too many to tell, there are others.
		present, err := s.presence(ctx, channel)
		if err != nil || present.others(o.Only) {
			data = o.Otherwise
		}
		o.Passing = true
	}
	return s.call(ctx, "publish", struct {
		Channel     string          `json:"channel"`
		Data        json.RawMessage `json:"data"`
		SkipHistory bool            `json:"skip_history,omitempty"`
		Once        string          `json:"idempotency_key"`
	}{channel, data, o.Passing, once}, nil)
}

// Wanted implements realtime.Transport: who is subscribed is known there.
func (s *Server) Wanted(string) bool { return true }

// Present implements realtime.Transport.
func (s *Server) Present(ctx context.Context, channel string, user id.ID) (bool, error) {
	found, err := s.presence(ctx, channel)
	if err != nil {
		return false, err
	}
	for _, c := range found.Presence {
		if c.User == user.String() && c.program() {
			return true, nil
		}
	}
	return false, nil
}

// Here implements realtime.Transport: who is subscribed is known there.
func (s *Server) Here(string, id.ID) (present, known bool) { return false, false }

// present is who is subscribed to a channel, by connection.
type present struct {
	Presence map[string]connection `json:"presence"`
}

type connection struct {
	User string        `json:"user"`
	Info realtime.Info `json:"conn_info"`
}

// program reports whether a connection was let in by a credential of its own, and
// is no page in a browser.
func (c connection) program() bool { return c.Info.UserID != "" && !c.Info.Page }

// others reports whether somebody is there but the programs of users.
func (p present) others(users []id.ID) bool {
	for _, c := range p.Presence {
		if !c.program() || !slices.ContainsFunc(users, func(u id.ID) bool { return c.User == u.String() }) {
			return true
		}
	}
	return false
}

func (s *Server) presence(ctx context.Context, channel string) (found present, err error) {
	err = s.call(ctx, "presence", map[string]string{"channel": channel}, &found)
	return found, err
}

// Recheck implements realtime.Transport.
func (s *Server) Recheck(ctx context.Context, user id.ID) error {
	if user.IsZero() {
		return nil // its API has no word for it; nothing is published for what is gone
	}
	return s.call(ctx, "disconnect", map[string]any{
		"user": user.String(), "disconnect": map[string]any{"code": recheckCode, "reason": recheckReason},
	}, nil)
}

// Healthy implements realtime.Transport.
func (s *Server) Healthy(ctx context.Context) error { return s.call(ctx, "info", struct{}{}, nil) }

// apiError is what Centrifugo answers inside of a status 200.
type apiError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// call uses the single address of the HTTP API, which all versions serve: 4.6 of
// identity-realtime-admin.md.
func (s *Server) call(ctx context.Context, method string, params, result any) error {
	body, err := json.Marshal(map[string]any{"method": method, "params": params})
	if err != nil {
		return fmt.Errorf("write a call of Centrifugo: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a call of Centrifugo: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "apikey "+s.key)
	r.Header.Set("X-API-Key", s.key)
	res, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("call Centrifugo at %s: %w", s.url, err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of Centrifugo: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("Centrifugo at %s answers %s to %s", s.url, res.Status, method) //nolint:staticcheck // a name
	}
	return decode(text, method, result)
}

func decode(text []byte, method string, result any) error {
	var answer struct {
		Error  *apiError       `json:"error"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return errors.New("Centrifugo answers with something that is no JSON object; is CENTRIFUGO_HOST and CENTRIFUGO_PORT right?") //nolint:staticcheck // a name
	}
	if answer.Error != nil {
		return fmt.Errorf("Centrifugo refuses %s: %s (%d)", method, answer.Error.Message, answer.Error.Code) //nolint:staticcheck // a name
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("read what Centrifugo answers to %s: %w", method, err)
	}
	return nil
}
