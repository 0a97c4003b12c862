package pool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Reason says why a child was killed.
type Reason string

// The reasons.
const (
	Timeout   Reason = "timeout"
	Cancelled Reason = "cancelled"
	Stopping  Reason = "stopping"
	Broken    Reason = "it broke the rules"
	Retired   Reason = "retired"
)

// Child is a process that runs user code. Who has got it from Acquire is the
// only one to use it, but Kill may be called by anybody.
type Child struct {
	cmd    *exec.Cmd
	in     *os.File
	out    *os.File
	frames *bridge.Reader
	stderr *tail
	hello  bridge.Hello
	memory int64

	killed atomic.Pointer[Reason]
	exited chan struct{}

	// The pool's.
	owner     id.ID
	runs      int
	idleSince time.Time
	programs  programs
}

// Hello is what the child said about itself.
func (c *Child) Hello() bridge.Hello { return c.hello }

// Kill ends the process at once. The first reason stays.
func (c *Child) Kill(reason Reason) {
	if c.killed.CompareAndSwap(nil, &reason) {
		// It fails only for a process that has ended.
		_ = c.cmd.Process.Kill()
	}
}

// Killed is the reason that the child was killed for; empty when it was not.
func (c *Child) Killed() Reason {
	if r := c.killed.Load(); r != nil {
		return *r
	}
	return ""
}

// ended reports whether the process is gone.
func (c *Child) ended() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// Send writes frames to the child.
func (c *Child) Send(frames []byte) error {
	_, err := c.in.Write(frames)
	return err
}

// Expect says which frames may come now. Others are an error.
func (c *Child) Expect(bounds bridge.Bounds) { c.frames.Bounds = bounds }

// Next returns the next frame. The payload is valid until the next call. The
// error is io.EOF or io.ErrUnexpectedEOF when the process sends no more.
func (c *Child) Next() (bridge.Kind, []byte, error) {
	kind, payload, err := c.frames.Next()
	if errors.Is(err, os.ErrClosed) {
		// The process was reaped, and its pipe closed, before its end was read.
		err = io.ErrUnexpectedEOF
	}
	return kind, payload, err
}

// Slot returns where the child holds a program, and whether it is there
// already; when not, the caller sends it next.
func (c *Child) Slot(program workflow.Hash) (slot int, known bool) { return c.programs.slot(program) }

// Exit says how a process ended.
type Exit struct {
	// Signal is the name of the signal that ended it; empty when it exited.
	Signal string
	// Outside says that the signal came from outside: the process cannot send
	// it to itself and the pool did not.
	Outside bool
	// Stderr is the end of what it wrote to its standard error.
	Stderr string
}

// reapWait is how long an ended child may take to be seen as ended.
const reapWait = 5 * time.Second

// Exit waits until the process has ended and says how. It kills a process that
// does not end by itself soon.
func (c *Child) Exit() Exit {
	timer := time.NewTimer(reapWait)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
		c.Kill(Broken)
		<-c.exited
	}
	return c.exit()
}

// wait reaps the process.
func (c *Child) wait() {
	// How it ended is in ProcessState.
	_ = c.cmd.Wait()
	c.in.Close()
	c.out.Close()
	close(c.exited)
}

// start completes a process that was just started: it reads the hello.
func (c *Child) start(insecure bool, timeout time.Duration) error {
	c.frames = bridge.NewReader(bufio.NewReaderSize(c.out, 64<<10), bridge.Bounds{bridge.KindHello: 1 << 10})
	timer := time.AfterFunc(timeout, func() { c.Kill(Broken) })
	_, payload, err := c.Next()
	if !timer.Stop() {
		// Also when its hello has come: it is being killed.
		return errSlow
	}
	if err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			c.Kill(Broken)
		}
		return c.startError(err)
	}
	if c.hello, err = bridge.ParseHello(payload); err != nil {
		c.Kill(Broken)
		return fmt.Errorf("read a child's hello: %w", err)
	}
	switch {
	case c.hello.Version != bridge.Version:
		err = fmt.Errorf("a child speaks version %d of the bridge, the server %d: the program's file was replaced; restart the server", c.hello.Version, bridge.Version)
	case !c.hello.Sandboxed && !insecure:
		err = errors.New("a child runs without a sandbox")
	}
	if err != nil {
		c.Kill(Broken)
	}
	return err
}

func (c *Child) startError(err error) error {
	exit := c.Exit()
	if exit.Outside {
		return ErrKilled
	}
	if exit.Stderr != "" {
		return fmt.Errorf("a child ended before it was ready: %s", exit.Stderr)
	}
	return fmt.Errorf("a child ended before it was ready: %w", err)
}
