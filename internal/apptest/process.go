package apptest

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Process is the built binary serving a data folder. It can be killed and
// started again.
type Process struct {
	*Client
	DataDir string
	Command *exec.Cmd
	exited  chan struct{}
	ready   chan string
	log     *tail
}

// StartProcess starts the built binary on a free port, waits until it is ready,
// and kills it with the test.
func StartProcess(t testing.TB, dir string, arguments ...string) *Process {
	t.Helper()
	return StartBinary(t, Binary(t), dir, arguments...)
}

// StartBinary does as StartProcess with another build of flowwd.
func StartBinary(t testing.TB, binary, dir string, arguments ...string) *Process {
	t.Helper()
	p := Launch(t, binary, dir, arguments...)
	p.awaitReady(t)
	return p
}

// Launch starts a build of flowwd and does not wait until it is ready, for tests
// that end it before; it has no Client. It is killed with the test.
func Launch(t testing.TB, binary, dir string, arguments ...string) *Process {
	t.Helper()
	p := &Process{DataDir: dir, exited: make(chan struct{}), ready: make(chan string, 1), log: &tail{}}
	p.Command = exec.Command(binary, append([]string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0"}, arguments...)...)
	// Tests ask with one key, as often as they can.
	p.Command.Env = append(os.Environ(), "LOG_FORMAT=json", "LOG_LEVEL=info", "DATABASE_URL="+DatabaseURL(dir), "FLOWW_RATE_LIMIT=1000000")
	p.Command.Dir = t.TempDir()
	stderr, err := p.Command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Command.Start(); err != nil {
		t.Fatalf("start flowwd: %v", err)
	}
	go func() {
		defer close(p.exited)
		watchLog(stderr, p.log, p.ready)
		_ = p.Command.Wait() // a killed process is what the tests want
	}()
	t.Cleanup(func() { p.Kill(t) })
	return p
}

func (p *Process) awaitReady(t testing.TB) {
	t.Helper()
	select {
	case url := <-p.ready:
		p.Client = NewClient(t, url, "")
	case <-p.exited:
		t.Fatalf("flowwd ended before it was ready:\n%s", p.log)
	case <-time.After(30 * time.Second):
		t.Fatalf("flowwd is not ready after 30 s:\n%s", p.log)
	}
}

// watchLog reads the log of a server and sends the address of its ready line.
func watchLog(stderr io.Reader, log *tail, ready chan<- string) {
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		log.add(lines.Text())
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "flowwd is ready" {
			ready <- line.URL
		}
	}
}

// Kill ends the process as a crash does, and waits until it is gone.
func (p *Process) Kill(t testing.TB) { p.end(t, syscall.SIGKILL) }

// Terminate asks the process to stop, and waits until it has.
func (p *Process) Terminate(t testing.TB) { p.end(t, syscall.SIGTERM) }

func (p *Process) end(t testing.TB, s syscall.Signal) {
	t.Helper()
	_ = p.Command.Process.Signal(s) // fails when it has ended already
	select {
	case <-p.exited:
	case <-time.After(60 * time.Second):
		t.Errorf("flowwd has not ended 60 s after %v", s)
		_ = p.Command.Process.Kill()
	}
}
