package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/realtime"
)

// Config is what a Node is made of. Gate, Tokens, Log and Now are required.
type Config struct {
	Gate   *realtime.Gate
	Tokens *realtime.Tokens
	// Redis is the address of a server that nodes share, such as
	// redis://localhost:6379; empty for a node that is alone.
	Redis string
	// Origins are the sites whose pages may connect, beside those of this server.
	Origins func() []string
	// Connections is the greatest number of connections; 0 for
	// DefaultConnections.
	Connections int
	// Registry takes the node's measurements; nil for a registry of its own.
	Registry Registry
	Version  string
	Log      *slog.Logger
	Now      func() time.Time
}

// Registry takes measurements and gives them out.
type Registry = centrifuge.RegistererGatherer

// DefaultConnections is the greatest number of connections of a node.
const DefaultConnections = 20_000

const (
	// maxChannels is how many channels one connection may subscribe to.
	maxChannels = 128
	// maxRefusals is how many channels a connection may be refused before it is
	// ended for good.
	maxRefusals = 500
	// maxQueue is how many bytes may wait for a client that does not read before
	// it is cut off.
	maxQueue = 1 << 20
	// maxFrame is the greatest frame that a client may send, in bytes.
	maxFrame = 64 << 10
	// readBuffer is what a connection keeps for what its client sends, in bytes.
	readBuffer = 512
	// gather is how long messages for a client are gathered, to be written at once:
	// most often all that a short run has to tell, which is what it costs most to
	// tell thousands. It also lets the library write by a timer, without a
	// goroutine for each connection. Nobody sees so short a delay.
	gather = 10 * time.Millisecond
	// maxOfUser is how many connections one user may have.
	maxOfUser = 5000
	// onceFor is how long Redis knows that an event was published, so that trying
	// again does not publish it twice.
	onceFor = 30 * time.Second
	// lately is how long after its last subscriber a channel is still published
	// to, so that clients who come back recover.
	lately = realtime.HistorySeconds * time.Second
)

// Node is a home of channels. Start begins to serve, Stop ends all connections.
type Node struct {
	config Config
	node   *centrifuge.Node
	doors  doors
	rates  rates

	mu sync.Mutex
	// left is when the last subscriber of a channel was seen.
	left map[string]time.Time
}

var _ realtime.Transport = (*Node)(nil)

// New returns a Node that serves nobody yet.
func New(c Config) (*Node, error) {
	if c.Connections == 0 {
		c.Connections = DefaultConnections
	}
	n := &Node{config: c, left: map[string]time.Time{}, rates: rates{channels: map[string]*meter{}}}
	made, err := centrifuge.New(centrifuge.Config{
		Version: c.Version, Name: "flowwd",
		LogLevel: centrifuge.LogLevelWarn, LogHandler: n.log,
		ClientChannelLimit: maxChannels, ClientQueueMaxSize: maxQueue, UserConnectionLimit: maxOfUser,
		HistoryMetaTTL: 24 * time.Hour,
		Metrics:        centrifuge.MetricsConfig{RegistererGatherer: c.Registry},
	})
	if err != nil {
		return nil, fmt.Errorf("make a realtime node: %w", err)
	}
	n.node = made
	if err := n.share(); err != nil {
		return nil, err
	}
	made.OnConnecting(n.connecting)
	made.OnConnect(n.connected)
	made.OnNotification(n.notified)
	n.doors = n.open()
	return n, nil
}

// share joins the other nodes at Redis.
func (n *Node) share() error {
	if n.config.Redis == "" {
		return nil
	}
	shard, err := centrifuge.NewRedisShard(n.node, centrifuge.RedisShardConfig{Address: n.config.Redis})
	if err != nil {
		return fmt.Errorf("connect to Redis: %w", err)
	}
	shards := []*centrifuge.RedisShard{shard}
	broker, err := centrifuge.NewRedisBroker(n.node, centrifuge.RedisBrokerConfig{Shards: shards, Prefix: "flowwd"})
	if err != nil {
		return fmt.Errorf("use Redis for realtime events: %w", err)
	}
	presence, err := centrifuge.NewRedisPresenceManager(n.node, centrifuge.RedisPresenceManagerConfig{Shards: shards, Prefix: "flowwd"})
	if err != nil {
		return fmt.Errorf("use Redis for realtime presence: %w", err)
	}
	n.node.SetBroker(broker)
	n.node.SetPresenceManager(presence)
	return nil
}

// Start begins to serve.
func (n *Node) Start(context.Context) error {
	if err := n.node.Run(); err != nil {
		return fmt.Errorf("start the realtime node: %w", err)
	}
	return nil
}

// Stop ends all connections; clients connect again elsewhere or later.
func (n *Node) Stop(ctx context.Context) error { return n.node.Shutdown(ctx) }

// Publish implements realtime.Transport.
func (n *Node) Publish(_ context.Context, channel string, data []byte, o realtime.Options) error {
	if len(o.Only) > 0 {
		return n.publishTo(channel, data, o.Only)
	}
	var options []centrifuge.PublishOption
	if !o.Passing {
		options = append(options, centrifuge.WithHistory(realtime.HistorySize, realtime.HistorySeconds*time.Second))
	}
	if n.config.Redis != "" {
		options = append(options, centrifuge.WithIdempotencyKey(realtime.Once(data)), centrifuge.WithIdempotentResultTTL(onceFor))
	}
	_, err := n.node.Publish(channel, data, options...)
	if err == nil {
		n.rates.published(channel, n.node.Hub().NumSubscribers(channel), n.config.Now())
	}
	return err
}

// Wanted implements realtime.Transport.
func (n *Node) Wanted(channel string) bool {
	if n.config.Redis != "" || n.node.Hub().NumSubscribers(channel) > 0 {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	at, known := n.left[channel]
	if known && n.config.Now().Sub(at) > lately {
		delete(n.left, channel)
		known = false
	}
	return known
}

// sweepAt is how many channels without subscribers are remembered before those
// that were left long ago are forgotten.
const sweepAt = 10_000

// leave notes that a subscriber of a channel is gone.
func (n *Node) leave(channel string) {
	now := n.config.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.left) >= sweepAt {
		for c, at := range n.left {
			if now.Sub(at) > lately {
				delete(n.left, c)
			}
		}
	}
	n.left[channel] = now
}

// Recheck implements realtime.Transport. The code is one after which clients
// connect again at once.
func (n *Node) Recheck(_ context.Context, user id.ID) error {
	again := centrifuge.WithCustomDisconnect(centrifuge.DisconnectForceReconnect)
	if user.IsZero() {
		return n.node.Disconnect("", again, centrifuge.WithDisconnectAllUsers(true))
	}
	return n.node.Disconnect(user.String(), again)
}

// Healthy implements realtime.Transport.
func (n *Node) Healthy(context.Context) error {
	if n.config.Redis == "" {
		return nil
	}
	_, err := n.node.PresenceStats(realtime.EventsChannel)
	return err
}

// Connections returns how many clients are connected to this node.
func (n *Node) Connections() int { return n.node.Hub().NumClients() }

// Usage is what a channel of this node is used for.
type Usage struct {
	Channel     string
	Subscribers int
	// Minute is how many events it had in the last minute, at this node.
	Minute int
}

// Channels returns up to limit channels of this node that have subscribers.
func (n *Node) Channels(limit int) []Usage {
	var found []Usage
	for _, channel := range n.node.Hub().Channels() {
		if len(found) == limit {
			break
		}
		found = append(found, Usage{
			Channel: channel, Subscribers: n.node.Hub().NumSubscribers(channel), Minute: n.rates.of(channel, n.config.Now()),
		})
	}
	return found
}

// Users returns up to limit ids of those who are subscribed to a channel.
func (n *Node) Users(channel string, limit int) ([]string, error) {
	found, err := n.node.Presence(channel)
	if err != nil {
		return nil, fmt.Errorf("read who is subscribed: %w", err)
	}
	seen := map[string]bool{}
	for _, client := range found.Presence {
		if len(seen) < limit {
			seen[client.UserID] = true
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

func (n *Node) log(e centrifuge.LogEntry) {
	level := slog.LevelWarn
	if e.Level == centrifuge.LogLevelError {
		level = slog.LevelError
	}
	n.config.Log.Log(context.Background(), level, "realtime: "+e.Message, "fields", e.Fields, "error", errorOf(e))
}

func errorOf(e centrifuge.LogEntry) error {
	if e.Error == nil {
		return nil
	}
	return errors.New(e.Error.Error())
}
