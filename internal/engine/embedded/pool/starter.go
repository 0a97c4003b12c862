package pool

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"
)

// starter starts processes, all from one thread that lives as long as the pool:
// the kernel ends a child when the thread that started it ends, and threads of
// the Go runtime come and go.
type starter struct {
	command  []string
	insecure bool
	requests chan startRequest
}

type startRequest struct {
	memory, native int64
	answer         chan startAnswer
}

type startAnswer struct {
	child *Child
	err   error
}

// serve starts processes until closing is closed. The thread ends with it.
func (s *starter) serve(closing <-chan struct{}) {
	runtime.LockOSThread()
	relax()
	for {
		select {
		case r := <-s.requests:
			child, err := s.start(r.memory, r.native)
			r.answer <- startAnswer{child, err}
		case <-closing:
			return
		}
	}
}

// start starts one process. It has no environment and no files but its pipes.
func (s *starter) start(memory, native int64) (*Child, error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	defer childIn.Close()
	out, childOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	defer childOut.Close()

	args := append(s.command[1:len(s.command):len(s.command)],
		"memory="+strconv.FormatInt(memory, 10), "native="+strconv.FormatInt(native, 10))
	if s.insecure {
		args = append(args, "insecure")
	}
	c := &Child{in: in, out: out, stderr: &tail{}, memory: memory, exited: make(chan struct{})}
	c.cmd = exec.Command(s.command[0], args...)
	c.cmd.Env = []string{}
	c.cmd.Dir = "/"
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = childIn, childOut, c.stderr
	c.cmd.SysProcAttr = attributes()
	c.cmd.WaitDelay = time.Second
	if err := c.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("start a child: %w", err)
	}
	return c, nil
}
