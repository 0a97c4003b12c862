package centrifugo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/realtime"
)

// Checked is what Check looks at.
type Checked struct {
	// WebsocketURL is where clients connect.
	WebsocketURL string
	Tokens       *realtime.Tokens
	// Stranger is the id of nobody, and of no workflow.
	Stranger id.ID
	// Admin logs in at the admin pages.
	Admin func(context.Context) error
}

// The codes by which a subscription to a channel is refused: where the channel
// is not known, where nobody may subscribe by themselves, and by this server.
const (
	codeUnknownChannel = 102
	codeDenied         = 103
	codeRefused        = 403
)

// Check returns what is wrong with a running server, as sentences that say what
// to do. It connects as a client does and tries to see what it may not.
func (s *Server) Check(ctx context.Context, c Checked) []error {
	if err := s.checkVersion(ctx); err != nil {
		return []error{err}
	}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	reached, err := asClient(ctx, c.WebsocketURL, centrifuge.Config{}, func(got outcome) { note(judgeAnonymous(got)) })
	if !reached {
		return []error{err}
	}
	token, err := c.Tokens.Connection(c.Stranger)
	if err != nil {
		return append(problems, err)
	}
	channel := realtime.Channel(c.Stranger)
	_, err = asClient(ctx, c.WebsocketURL, centrifuge.Config{Token: token.Text}, func(got outcome) {
		if !got.connected {
			note(fmt.Errorf("Centrifugo does not take a token that is signed with CENTRIFUGO_JWT_SECRET (%d %s): give both the same secret, at client.token.hmac_secret_key", got.code, got.reason)) //nolint:staticcheck // a name
			return
		}
		note(checkSubscribe(ctx, got.client, channel))
		note(checkStranger(ctx, got.client, channel))
	})
	note(err)
	note(checkHeaders(ctx, c.WebsocketURL, token.Text, channel))
	note(s.checkHistory(ctx, channel))
	if err := c.Admin(ctx); err != nil {
		note(fmt.Errorf("the admin pages of Centrifugo do not open for this server: %w", err))
	}
	return problems
}

// judgeAnonymous says what is wrong when a client without a credential is not
// refused for good.
func judgeAnonymous(got outcome) error {
	switch {
	case got.connected:
		return errors.New("Centrifugo lets in clients without a credential: turn its connect proxy on, as 'flowwd centrifugo config' does") //nolint:staticcheck // a name
	case got.code != unauthorizedCode:
		return fmt.Errorf("Centrifugo answers clients without a credential with %d (%s), so that they try again for ever: take client.proxy.connect.http.status_to_code_transforms of 'flowwd centrifugo config', and check that it reaches this server at client.proxy.connect.endpoint", got.code, got.reason) //nolint:staticcheck // a name
	}
	return nil
}

func (s *Server) checkVersion(ctx context.Context) error {
	var info struct {
		Nodes []struct {
			Version string `json:"version"`
		} `json:"nodes"`
	}
	if err := s.call(ctx, "info", json.RawMessage(`{}`), &info); err != nil {
		return fmt.Errorf("%w: check that it runs, and CENTRIFUGO_HOST, CENTRIFUGO_PORT and CENTRIFUGO_API_KEY", err)
	}
	for _, n := range info.Nodes {
		if major, _, _ := strings.Cut(strings.TrimPrefix(n.Version, "v"), "."); len(major) == 1 && major < "6" && major > "0" {
			return fmt.Errorf("Centrifugo has version %s, which does not pass on the headers of the command line: use version 6", n.Version) //nolint:staticcheck // a name
		}
	}
	return nil
}

// checkHistory looks whether events are kept for clients that come back, at a
// channel that nobody follows.
func (s *Server) checkHistory(ctx context.Context, channel string) error {
	if err := s.Publish(ctx, channel, []byte(`{"type":"test"}`), realtime.Options{}); err != nil {
		return fmt.Errorf("a test event was not published: %w", err)
	}
	var kept struct {
		Publications []json.RawMessage `json:"publications"`
	}
	err := s.call(ctx, "history", map[string]any{"channel": channel, "limit": 1}, &kept)
	if err != nil || len(kept.Publications) == 0 {
		return errors.Join(errors.New("Centrifugo keeps no history, so that clients lose what happens while they are away: set history_size and history_ttl in the namespace workflow, as 'flowwd centrifugo config' does"), err) //nolint:staticcheck // a name
	}
	return nil
}

// checkStranger tries to read and write a channel without being subscribed to it.
func checkStranger(ctx context.Context, client *centrifuge.Client, channel string) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	for what, try := range map[string]func() error{
		"the history of": func() error { _, err := client.History(ctx, channel); return err },
		"who follows":    func() error { _, err := client.PresenceStats(ctx, channel); return err },
		"and publish to": func() error { _, err := client.Publish(ctx, channel, []byte(`{"type":"test"}`)); return err },
	} {
		if try() == nil {
			return fmt.Errorf("Centrifugo lets everybody who is logged in read %s every workflow: take the namespace workflow of 'flowwd centrifugo config'", what) //nolint:staticcheck // a name
		}
	}
	return nil
}

// outcome is what became of a connection.
type outcome struct {
	client    *centrifuge.Client
	connected bool
	code      uint32
	reason    string
}

// stepTimeout bounds each question, so that one without an answer leaves time for
// the others.
const stepTimeout = 3 * time.Second

// asClient connects, calls judge with what became of it, and reports whether
// somebody answered.
func asClient(ctx context.Context, url string, config centrifuge.Config, judge func(outcome)) (reached bool, err error) {
	config.ReadTimeout = stepTimeout
	client := centrifuge.NewJsonClient(url, config)
	defer client.Close()
	came := make(chan outcome, 16)
	tell := func(o outcome) {
		o.client = client
		select {
		case came <- o:
		default:
		}
	}
	client.OnConnected(func(centrifuge.ConnectedEvent) { tell(outcome{connected: true}) })
	client.OnDisconnected(func(e centrifuge.DisconnectedEvent) { tell(outcome{code: e.Code, reason: e.Reason}) })
	client.OnError(func(e centrifuge.ErrorEvent) { // it tries again
		var refusal *centrifuge.Error
		if errors.As(e.Error, &refusal) {
			tell(outcome{code: refusal.Code, reason: refusal.Message})
		}
	})
	if err := client.Connect(); err != nil {
		return false, fmt.Errorf("connect to %s: %w", url, err)
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	select {
	case o := <-came:
		judge(o)
		return true, nil
	case <-ctx.Done():
		return false, fmt.Errorf("nobody answers at %s, where clients connect to Centrifugo: check CENTRIFUGO_PUBLIC_URL", url)
	}
}

// checkSubscribe tries to see a channel that nobody may see.
func checkSubscribe(ctx context.Context, client *centrifuge.Client, channel string) error {
	s, err := client.NewSubscription(channel)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	came := make(chan uint32, 16)
	tell := func(code uint32) {
		select {
		case came <- code:
		default:
		}
	}
	s.OnSubscribed(func(centrifuge.SubscribedEvent) { tell(0) })
	s.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { tell(e.Code) })
	s.OnError(func(e centrifuge.SubscriptionErrorEvent) {
		var refusal *centrifuge.Error
		if errors.As(e.Error, &refusal) {
			tell(refusal.Code)
		}
	})
	if err := s.Subscribe(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	select {
	case code := <-came:
		return judgeSubscribe(code)
	case <-ctx.Done():
		return errors.New("Centrifugo does not answer a subscription: check that it reaches this server at the endpoint of channel.proxy.subscribe") //nolint:staticcheck // a name
	}
}

func judgeSubscribe(code uint32) error {
	switch code {
	case 0:
		return errors.New("Centrifugo lets everybody who is logged in subscribe to every workflow: set subscribe_proxy_enabled in the namespace workflow, as 'flowwd centrifugo config' does") //nolint:staticcheck // a name
	case codeRefused:
		return nil
	case codeUnknownChannel:
		return errors.New("Centrifugo does not know the channels of workflows: add the namespace workflow, as 'flowwd centrifugo config' does") //nolint:staticcheck // a name
	case codeDenied:
		return errors.New("Centrifugo refuses subscriptions without asking this server: set subscribe_proxy_enabled in the namespace workflow, as 'flowwd centrifugo config' does") //nolint:staticcheck // a name
	default:
		return fmt.Errorf("Centrifugo answers a subscription with code %d: check that it reaches this server at the endpoint of channel.proxy.subscribe", code) //nolint:staticcheck // a name
	}
}
