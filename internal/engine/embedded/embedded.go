package embedded

import (
	"cmp"
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/engine/embedded/pool"
)

// Name is what the engine's programs carry.
const Name = "embedded"

// Config says how the engine behaves. Command, Logger and Now are needed; the
// zero value of each other field stands for its default.
type Config struct {
	// Command starts a child: a program with its first arguments, which calls
	// RunChild with the arguments that follow them. See SelfCommand.
	Command []string
	// Runners is the most children, and so invocations, at once. Default 32.
	Runners int
	// Spares are children started ahead for organizations without one.
	// Default 2; -1 for none.
	Spares int
	// Memory is what user code may allocate in a child that is started ahead, in
	// bytes; a run with a larger limit gets a child of its own. Default: that of
	// engine.DefaultLimits.
	Memory int64
	// InsecureRunner runs user code without the sandbox, for systems that have
	// none.
	InsecureRunner bool
	// IdleTimeout is how long a child waits for its organization's next run.
	// Default 60 s.
	IdleTimeout time.Duration
	// MaxRuns and MaxResident (bytes) are when a child is replaced. Defaults
	// 10,000 and 200 MB.
	MaxRuns     int
	MaxResident int64
	// DefineTimeout, CompileTimeout and StartTimeout bound these steps.
	// Defaults 5 s, 30 s and 10 s.
	DefineTimeout, CompileTimeout, StartTimeout time.Duration
	// CompileMemory bounds the compilation of one source, in bytes. Default
	// 512 MB.
	CompileMemory int64
	// Compilers is how many sources are compiled at once. Default 2.
	Compilers int
	// Fetch says what code may reach, and how.
	Fetch  fetch.Config
	Logger *slog.Logger
	Now    func() time.Time
}

// native is the memory of a child beside what user code allocates, in bytes:
// the Go runtime, bodies and frames.
const native = 256 << 20

// Engine implements engine.Engine. Start it before use and stop it at the end.
type Engine struct {
	config    Config
	pool      *pool.Pool
	compilers chan struct{}
	fetch     *fetch.Client
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine that is not started.
func New(config Config) *Engine {
	c := config.withDefaults()
	return &Engine{
		config:    c,
		compilers: make(chan struct{}, c.Compilers),
		fetch:     fetch.New(c.Fetch),
		pool: pool.New(pool.Config{
			Command:      c.Command,
			Runners:      c.Runners,
			Spares:       c.Spares,
			AtOnce:       runtime.GOMAXPROCS(0) + 1,
			Insecure:     c.InsecureRunner,
			Memory:       c.Memory,
			Native:       native,
			IdleTimeout:  c.IdleTimeout,
			MaxRuns:      c.MaxRuns,
			MaxResident:  c.MaxResident,
			StartTimeout: c.StartTimeout,
			Logger:       c.Logger,
			Now:          c.Now,
		}),
	}
}

func (c Config) withDefaults() Config {
	c.Runners = cmp.Or(c.Runners, 32)
	c.Spares = min(max(0, cmp.Or(c.Spares, 2)), c.Runners)
	c.Memory = cmp.Or(c.Memory, engine.DefaultLimits().Memory)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, time.Minute)
	c.MaxRuns = cmp.Or(c.MaxRuns, 10_000)
	c.MaxResident = cmp.Or(c.MaxResident, 200<<20)
	c.DefineTimeout = cmp.Or(c.DefineTimeout, 5*time.Second)
	c.CompileTimeout = cmp.Or(c.CompileTimeout, 30*time.Second)
	c.StartTimeout = cmp.Or(c.StartTimeout, 10*time.Second)
	c.CompileMemory = cmp.Or(c.CompileMemory, 512<<20)
	c.Compilers = cmp.Or(c.Compilers, 2)
	return c
}

// Start starts the first children. The error says why they cannot be had.
func (e *Engine) Start(ctx context.Context) error { return e.pool.Start(ctx) }

// Stop ends all children, and with them what runs, which is interrupted. It
// returns when they are gone, or when ctx ends.
func (e *Engine) Stop(ctx context.Context) error {
	defer e.fetch.Close()
	return e.pool.Stop(ctx)
}

// Fetches are how many requests code made, and how many of them were refused.
func (e *Engine) Fetches() (requests, refused int64) { return e.fetch.Counts() }

// Slots is how many invocations can run at the same time.
func (e *Engine) Slots() int { return e.config.Runners }

// Healthy returns nil when children can be had.
func (e *Engine) Healthy(context.Context) error { return e.pool.Healthy() }
