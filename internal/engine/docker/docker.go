package docker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"go.opentelemetry.io/otel/trace"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/id"
)

// Name is what the engine's programs carry.
const Name = "docker"

// Credentials tell how an image is pulled.
type Credentials interface {
	// Credentials returns what the registry of an image asks for; both empty for
	// nothing.
	Credentials(ctx context.Context, image string) (user, password string, err error)
}

// Config says how the engine behaves. Instance, Relay, IDs, Logger and Now are
// needed; the zero value of each other field stands for its default.
type Config struct {
	// Host is the address of the daemon; the environment's, or the system's
	// socket, unless set.
	Host string
	// Instance is in the labels of all containers: those of another one are left
	// alone.
	Instance string
	// Relay is a program without libraries that is a relay when its first
	// argument is relay.Word.
	Relay string
	// Slots is the most invocations at once. Default 32.
	Slots int
	// Concurrency is the most invocations at once in one container of our own
	// image. Default 8.
	Concurrency int
	// Memory, CPUs, Pids and Tmp bound one container: bytes, processors,
	// processes with threads, and the bytes in /tmp, which count as memory.
	// Defaults 1 GiB, 1, 256 and 64 MiB.
	Memory int64
	CPUs   float64
	Pids   int64
	Tmp    int64
	// RunMemory is what threads that are started ahead may allocate, in bytes.
	// Default: that of engine.DefaultLimits.
	RunMemory int64
	// Default is the image of programs whose sources name none; empty for none.
	Default string
	// Spare is how many network namespaces are made ahead of the containers that
	// need them. None unless set.
	Spare int
	// Network is a network of the daemon that containers join; none unless set.
	Network string
	// PullTimeout, StartTimeout and DefineTimeout bound these steps. Defaults
	// 10 min, 30 s and 30 s.
	PullTimeout, StartTimeout, DefineTimeout time.Duration
	// DaemonPatience is how long a run waits for a daemon that does not answer.
	// Default 1 min.
	DaemonPatience time.Duration
	// StopAfter and RemoveAfter are how long a container waits for a run until
	// it is stopped, and then removed. Defaults 5 min and 1 h.
	StopAfter, RemoveAfter time.Duration
	// Fetch says what code may reach.
	Fetch fetch.Config
	// Traces is told of the daemon's answers; nil for nobody.
	Traces trace.TracerProvider
	// Backend serves calls to /api/kv/ with a run's token; nil for nobody.
	Backend http.Handler
	// Credentials are nil for registries that ask for none.
	Credentials Credentials
	IDs         *id.Source
	Logger      *slog.Logger
	Now         func() time.Time
}

// Engine implements engine.Engine. Start it before use and stop it at the end.
type Engine struct {
	config   Config
	api      *client.Client
	fetch    *fetch.Client
	bundles  bundles
	slots    chan struct{}
	settings string // what containers must have been made with

	// life ends when the engine stops.
	life context.Context
	stop context.CancelFunc
	runs sync.WaitGroup
	work sync.WaitGroup

	spares spares

	relayMu sync.Mutex
	relay   string // the image of the relay, once it is there

	mu   sync.Mutex
	pods map[podKey]*pod
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine that is not started. The error says what is wrong with
// the address of the daemon.
func New(config Config) (*Engine, error) {
	c := config.withDefaults()
	options := []client.Opt{client.FromEnv}
	if c.Host != "" {
		options = append(options, client.WithHost(c.Host))
	}
	if c.Traces != nil {
		options = append(options, client.WithTraceProvider(c.Traces))
	}
	api, err := client.New(options...)
	if err != nil {
		return nil, fmt.Errorf("find the docker daemon: %w", err)
	}
	life, stop := context.WithCancel(context.Background())
	return &Engine{
		config: c, api: api, fetch: fetch.New(c.Fetch), slots: make(chan struct{}, c.Slots), settings: c.fingerprint(),
		life: life, stop: stop, pods: map[podKey]*pod{}, spares: spares{taken: make(chan struct{}, 1)},
	}, nil
}

func (c Config) withDefaults() Config {
	c.Slots = cmp.Or(c.Slots, 32)
	c.Concurrency = cmp.Or(c.Concurrency, 8)
	c.Memory = cmp.Or(c.Memory, 1<<30)
	c.CPUs = cmp.Or(c.CPUs, 1)
	c.Pids = cmp.Or(c.Pids, 256)
	c.Tmp = cmp.Or(c.Tmp, 64<<20)
	c.RunMemory = cmp.Or(c.RunMemory, engine.DefaultLimits().Memory)
	c.PullTimeout = cmp.Or(c.PullTimeout, 10*time.Minute)
	c.StartTimeout = cmp.Or(c.StartTimeout, 30*time.Second)
	c.DefineTimeout = cmp.Or(c.DefineTimeout, 30*time.Second)
	c.DaemonPatience = cmp.Or(c.DaemonPatience, time.Minute)
	c.StopAfter = cmp.Or(c.StopAfter, 5*time.Minute)
	c.RemoveAfter = cmp.Or(c.RemoveAfter, time.Hour)
	return c
}

// Start takes over the containers of an earlier life. The error says why the
// daemon can't be used.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.Healthy(ctx); err != nil {
		return err
	}
	if err := e.adopt(ctx); err != nil {
		return fmt.Errorf("take over the containers of this installation: %w", err)
	}
	e.work.Go(e.keep)
	if e.config.Spare > 0 {
		e.work.Go(e.stock)
	}
	if e.config.Default != "" {
		e.work.Go(e.keepDefault)
	}
	return nil
}

// Stop interrupts what runs. The containers stay, for the next start to take
// over. It returns when nothing is under way, or when ctx ends.
func (e *Engine) Stop(ctx context.Context) error {
	e.stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.runs.Wait()
		e.disconnect()
		e.work.Wait()
		e.fetch.Close()
		_ = e.api.Close() // there is nothing to lose
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for runs in containers: %w", ctx.Err())
	}
}

// Slots is how many invocations can run at the same time.
func (e *Engine) Slots() int { return cap(e.slots) }

// Healthy returns nil when the daemon answers.
func (e *Engine) Healthy(ctx context.Context) error {
	if e.life.Err() != nil {
		return stopping()
	}
	if _, err := e.api.Ping(ctx, client.PingOptions{}); err != nil {
		return fmt.Errorf("the docker daemon at %s does not answer: %w", e.api.DaemonHost(), err)
	}
	return nil
}

// Fetches are how many connections code asked for, and how many of them were
// refused.
func (e *Engine) Fetches() (requests, refused int64) { return e.fetch.Counts() }

func stopping() error { return &engine.Interrupted{Message: "the server is stopping"} }
