package runner

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/engine/embedded/sandbox"
)

// Options are those of one child.
type Options struct {
	// Memory is what code may allocate at most, in bytes.
	Memory int64
	// Native is the memory for everything else in the process, in bytes.
	Native int64
	// Insecure leaves the sandbox out.
	Insecure bool
	// MaxLandlock bounds the level of Landlock; 0 for the kernel's.
	MaxLandlock int
}

// maxStack bounds the stack of a goroutine, in bytes: the deepest recursion
// that the JavaScript engine allows takes a tenth of it.
const maxStack = 256 << 20

// Limits of the frames that a child takes, in bytes.
const (
	maxProgram = 256 << 20
	maxRequest = 128 << 20
)

// child is the state of the process.
type child struct {
	in      *bridge.Reader
	out     *output
	machine *realm.Machine
	slots   [bridge.Slots]*realm.Program
	memory  int64
}

// Run makes the process a child that reads requests from in and answers to out,
// and returns when in is closed. The process should end then.
func Run(o Options, in, out *os.File) error {
	settle(o)
	status := bridge.Hello{Version: bridge.Version, EngineVersion: realm.Version}
	if !o.Insecure {
		got, err := sandbox.Enter(sandbox.Options{Data: uint64(o.Memory + o.Memory/4 + o.Native), MaxLandlock: o.MaxLandlock})
		if err != nil {
			return fmt.Errorf("enter the sandbox: %w", err)
		}
		status.Sandboxed, status.Landlock = true, got.Landlock
	}
	machine, err := realm.New(o.Memory)
	if err != nil {
		return fmt.Errorf("start the JavaScript engine: %w", err)
	}
	c := &child{in: bridge.NewReader(in, limit), out: newOutput(out), machine: machine, memory: o.Memory}
	if err := c.out.send(status.Append); err != nil {
		return err
	}
	return c.serve()
}

// settle gives the Go runtime what it needs for good, because the sandbox lets
// it open nothing later: the number of processors, and the poller behind
// timers.
func settle(o Options) {
	runtime.GOMAXPROCS(2)
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(o.Native / 2)
	debug.SetMaxStack(maxStack)
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	time.AfterFunc(time.Hour, func() {}).Stop()
}

// limit is the longest frame of a kind.
func limit(kind bridge.Kind) int {
	switch kind {
	case bridge.KindProgram:
		return maxProgram
	case bridge.KindRun, bridge.KindCompile, bridge.KindDefine:
		return maxRequest
	default:
		return 0
	}
}

// frame is a request as it came.
type frame struct {
	kind    bridge.Kind
	payload []byte
}

// serve answers requests. Somebody always reads, also while a request is
// served, so that the end of the pipe ends the process at once.
func (c *child) serve() error {
	frames, free, ended := make(chan frame), make(chan struct{}, 1), make(chan error, 1)
	free <- struct{}{}
	go func() { ended <- c.read(frames, free) }()
	go func() {
		for f := range frames {
			if err := c.answer(f); err != nil {
				ended <- err
				return
			}
			free <- struct{}{}
		}
	}()
	return <-ended
}

// read hands on one frame after the other; the payload of the next is read when
// the one before is done with.
func (c *child) read(frames chan<- frame, free <-chan struct{}) error {
	for {
		kind, n, err := c.in.Header()
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		<-free
		payload, err := c.in.Payload(n)
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		frames <- frame{kind, payload}
	}
}

func (c *child) answer(f frame) error {
	switch f.kind {
	case bridge.KindProgram:
		return c.load(f.payload)
	case bridge.KindRun:
		return c.run(f.payload)
	case bridge.KindDefine:
		return c.define(f.payload)
	case bridge.KindCompile:
		return c.compile(f.payload)
	default:
		return errors.New("a request of an unknown kind")
	}
}
