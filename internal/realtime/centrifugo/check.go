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
	if err := asClient(ctx, c.WebsocketURL, centrifuge.Config{}, func(got outcome) error {
		switch {
		case got.connected:
			return errors.New("Centrifugo lets in clients without a credential: turn its connect proxy on, as 'flowwd centrifugo config' does") //nolint:staticcheck // a name
		case got.code != unauthorizedCode:
			return fmt.Errorf("Centrifugo answers clients without a credential with %d (%s), so that they try again for ever: take client.proxy.connect.http.status_to_code_transforms of 'flowwd centrifugo config'", got.code, got.reason) //nolint:staticcheck // a name
		}
		return nil
	}); err != nil {
		problems = append(problems, err)
	}
	token, err := c.Tokens.Connection(c.Stranger)
	if err != nil {
		return append(problems, err)
	}
	err = asClient(ctx, c.WebsocketURL, centrifuge.Config{Token: token.Text}, func(got outcome) error {
		if !got.connected {
			return fmt.Errorf("Centrifugo does not take a token that is signed with CENTRIFUGO_JWT_SECRET (%d %s): give both the same secret, at client.token.hmac_secret_key", got.code, got.reason) //nolint:staticcheck // a name
		}
		return checkSubscribe(ctx, got.client, realtime.Channel(c.Stranger))
	})
	if err != nil {
		problems = append(problems, err)
	}
	return problems
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

// outcome is what became of a connection.
type outcome struct {
	client    *centrifuge.Client
	connected bool
	code      uint32
	reason    string
}

// asClient connects, and calls judge with what became of it.
func asClient(ctx context.Context, url string, config centrifuge.Config, judge func(outcome) error) error {
	config.ReadTimeout = 5 * time.Second
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
	client.OnConnecting(func(e centrifuge.ConnectingEvent) {
		if e.Code != 0 { // another try
			tell(outcome{code: e.Code, reason: e.Reason})
		}
	})
	if err := client.Connect(); err != nil {
		return fmt.Errorf("connect to %s: %w", url, err)
	}
	select {
	case o := <-came:
		return judge(o)
	case <-ctx.Done():
		return fmt.Errorf("nobody answers at %s, where clients connect to Centrifugo: check CENTRIFUGO_PUBLIC_URL", url)
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
