package runner

import (
	"errors"
	"fmt"
	"io"
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
}

// maxStack bounds the stack of a goroutine, in bytes: the deepest recursion
// that the JavaScript engine allows takes a tenth of it.
const maxStack = 256 << 20

// child is the state of the process.
type child struct {
	in      *input
	out     *output
	machine *realm.Machine
	slots   [bridge.Slots]*realm.Program
	// asked is the number of the last question.
	asked uint64
}

// Run makes the process a child that reads requests from in and answers to out,
// and returns when in is closed. The process should end then.
func Run(o Options, in, out *os.File) error {
	settle(o)
	status := bridge.Hello{Version: bridge.Version, EngineVersion: realm.Version}
	if !o.Insecure {
		got, err := sandbox.Enter(sandbox.Options{Data: uint64(o.Memory + o.Memory/4 + o.Native)})
		if err != nil {
			return fmt.Errorf("enter the sandbox: %w", err)
		}
		status.Sandboxed, status.Landlock = true, got.Landlock
	}
	machine, err := realm.New(o.Memory)
	if err != nil {
		return fmt.Errorf("start the JavaScript engine: %w", err)
	}
	go exitWhenClosed(in)
	c := &child{
		in: newInput(in, bridge.Bounds{
			bridge.KindProgram: 256 << 20,
			bridge.KindRun:     128 << 20,
			bridge.KindCompile: 128 << 20,
			bridge.KindDefine:  1 << 10,
			bridge.KindReply:   bridge.MaxReply + 1<<10,
		}),
		out:     newOutput(out),
		machine: machine,
	}
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

// serve answers requests, one after the other.
func (c *child) serve() error {
	for {
		f := c.in.next()
		if f.err == io.EOF {
			return nil
		}
		if f.err != nil {
			return fmt.Errorf("read a request: %w", f.err)
		}
		if err := c.answer(f.kind, f.payload); err != nil {
			return err
		}
	}
}

func (c *child) answer(kind bridge.Kind, payload []byte) error {
	switch kind {
	case bridge.KindProgram:
		return c.load(payload)
	case bridge.KindRun:
		return c.run(payload)
	case bridge.KindDefine:
		return c.define(payload)
	case bridge.KindCompile:
		return c.compile(payload)
	case bridge.KindReply:
		return nil // for a run that has ended
	default:
		return errors.New("a request of an unknown kind")
	}
}
