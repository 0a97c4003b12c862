package realtimetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

// patience bounds waits for what must come.
const patience = 20 * time.Second

// Client is a connection of the official client.
type Client struct {
	*centrifuge.Client
	t testing.TB

	mu           sync.Mutex
	disconnected *centrifuge.DisconnectedEvent
}

// Connect opens a connection that shows a bearer credential; none when it is
// empty.
func Connect(t testing.TB, url, bearer string) *Client {
	t.Helper()
	if bearer == "" {
		return ConnectWith(t, url, "", "")
	}
	return ConnectWith(t, url, "Authorization", "Bearer "+bearer)
}

// ConnectWith opens a connection whose request has a header.
func ConnectWith(t testing.TB, url, name, value string) *Client {
	t.Helper()
	header := http.Header{}
	if name != "" {
		header.Set(name, value)
	}
	return open(t, url, centrifuge.Config{Header: header})
}

// ConnectByToken opens a connection that shows a connection token.
func ConnectByToken(t testing.TB, url, token string) *Client {
	t.Helper()
	return open(t, url, centrifuge.Config{Token: token})
}

func open(t testing.TB, url string, config centrifuge.Config) *Client {
	config.MinReconnectDelay, config.MaxReconnectDelay = 20*time.Millisecond, 200*time.Millisecond
	config.ReadTimeout = patience
	c := &Client{Client: centrifuge.NewJsonClient(url, config), t: t}
	c.OnDisconnected(func(e centrifuge.DisconnectedEvent) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.disconnected = &e
	})
	t.Cleanup(c.Close)
	if err := c.Client.Connect(); err != nil {
		t.Fatalf("connect: %v", err)
	}
	return c
}

// Refused waits until the server has ended the connection for good, and returns
// the code.
func (c *Client) Refused() uint32 {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		c.mu.Lock()
		e := c.disconnected
		c.mu.Unlock()
		if e != nil {
			return e.Code
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the connection is %s after %v, want it refused", c.State(), patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Event is what a channel said.
type Event struct {
	Type       string          `json:"type"`
	WorkflowID string          `json:"workflow_id"`
	Payload    json.RawMessage `json:"payload"`
	Timestamp  string          `json:"timestamp"`
	Time       string          `json:"time"`
	Raw        json.RawMessage `json:"-"`
}

// Lost is the type of an event that no channel says: the client is back and
// could not be told all that it missed.
const Lost = "lost"

// Subscription gathers what a channel says.
type Subscription struct {
	*centrifuge.Subscription
	t      testing.TB
	opened chan error
	events chan Event
}

// Subscribe subscribes to a channel, and waits until that is allowed or refused.
func (c *Client) Subscribe(channel string, config ...centrifuge.SubscriptionConfig) (*Subscription, error) {
	c.t.Helper()
	made, err := c.NewSubscription(channel, config...)
	if err != nil {
		c.t.Fatalf("subscribe to %s: %v", channel, err)
	}
	s := &Subscription{Subscription: made, t: c.t, opened: make(chan error, 16), events: make(chan Event, 10_000)}
	tell := func(err error) {
		select {
		case s.opened <- err:
		default:
		}
	}
	made.OnSubscribed(func(e centrifuge.SubscribedEvent) {
		if e.WasRecovering && !e.Recovered {
			s.events <- Event{Type: Lost}
		}
		tell(nil)
	})
	made.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { tell(&centrifuge.Error{Code: e.Code, Message: e.Reason}) })
	made.OnPublication(func(e centrifuge.PublicationEvent) {
		event := Event{Raw: e.Data}
		if err := json.Unmarshal(e.Data, &event); err != nil {
			c.t.Errorf("an event is no JSON object: %s", e.Data)
		}
		s.events <- event
	})
	if err := made.Subscribe(); err != nil {
		c.t.Fatalf("subscribe to %s: %v", channel, err)
	}
	select {
	case err := <-s.opened:
		return s, err
	case <-time.After(patience):
		c.t.Fatalf("nobody answers a subscription to %s within %v", channel, patience)
		return nil, nil
	}
}

// Opens reports whether a channel is opened; not when it is refused for good, or
// the connection with it.
func (c *Client) Opens(channel string, config centrifuge.SubscriptionConfig) bool {
	c.t.Helper()
	s, err := c.NewSubscription(channel, config)
	if err != nil {
		c.t.Fatalf("subscribe to %s: %v", channel, err)
	}
	came := make(chan bool, 16)
	tell := func(opened bool) {
		select {
		case came <- opened:
		default:
		}
	}
	s.OnSubscribed(func(centrifuge.SubscribedEvent) { tell(true) })
	s.OnUnsubscribed(func(centrifuge.UnsubscribedEvent) { tell(false) })
	c.OnDisconnected(func(centrifuge.DisconnectedEvent) { tell(false) })
	if err := s.Subscribe(); err != nil {
		c.t.Fatalf("subscribe to %s: %v", channel, err)
	}
	select {
	case opened := <-came:
		return opened
	case <-time.After(patience):
		c.t.Fatalf("nobody answers a subscription to %s within %v", channel, patience)
		return false
	}
}

// Next returns the next event.
func (s *Subscription) Next() Event {
	s.t.Helper()
	select {
	case e := <-s.events:
		return e
	case <-time.After(patience):
		s.t.Fatalf("no event within %v", patience)
		return Event{}
	}
}

// Until returns the events up to the first of some types.
func (s *Subscription) Until(kinds ...string) []Event {
	s.t.Helper()
	var all []Event
	for {
		e := s.Next()
		all = append(all, e)
		if slices.Contains(kinds, e.Type) {
			return all
		}
	}
}

// Waiting returns the events that came and were not returned yet.
func (s *Subscription) Waiting() []Event {
	var all []Event
	for {
		select {
		case e := <-s.events:
			all = append(all, e)
		default:
			return all
		}
	}
}

// Silent wants no event to be waiting. What was published before something that
// was heard meanwhile would be.
func (s *Subscription) Silent() {
	s.t.Helper()
	select {
	case e := <-s.events:
		s.t.Errorf("heard %s, want nothing", e.Raw)
	default:
	}
}

// Ended waits until the subscription is over for good and returns why.
func (s *Subscription) Ended() error {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case err := <-s.opened:
			if err != nil {
				return err
			}
		case <-deadline:
			s.t.Fatalf("the subscription is %s after %v, want it ended", s.State(), patience)
			return nil
		}
	}
}
