package centrifugotest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Server is a Centrifugo. It can be killed and started again.
type Server struct {
	// WebsocketURL is where clients connect.
	WebsocketURL string

	file, health string
	command      *exec.Cmd
	log          *bytes.Buffer
}

// Ports returns free ports of this machine's loopback.
func Ports(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all at once, so that none comes twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// Start starts Centrifugo with a configuration of version 6, waits until it
// serves, and kills it with the test.
func Start(t testing.TB, configuration []byte) *Server {
	t.Helper()
	c, five, err := translate(configuration)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		WebsocketURL: fmt.Sprintf("ws://127.0.0.1:%d%s", c.HTTPServer.Port, c.Websocket.Prefix),
		file:         filepath.Join(t.TempDir(), "centrifugo.json"),
		health:       fmt.Sprintf("http://127.0.0.1:%d/health", c.HTTPServer.Internal),
	}
	if err := os.WriteFile(s.file, five, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Kill(t) })
	s.Restart(t)
	return s
}

// Restart starts the server after Kill, on the same ports.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.log = &bytes.Buffer{}
	s.command = exec.Command(program(t), "--config", s.file, "--log_level", "warn")
	s.command.Stdout, s.command.Stderr = s.log, s.log
	if err := s.command.Start(); err != nil {
		t.Fatalf("start Centrifugo: %v", err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		res, err := http.Get(s.health)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			s.Kill(t)
			t.Fatalf("Centrifugo does not serve: %v\n%s", err, s.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Kill ends the server as a crash does. What it remembered is gone.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if s.command == nil || s.command.Process == nil {
		return
	}
	_ = s.command.Process.Kill() // fails when it has ended already
	_ = s.command.Wait()         // it was killed
	s.command = nil
}

// program is what scripts/setup built.
func program(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("nobody knows where this file is")
	}
	path := filepath.Join(filepath.Dir(file), "../../.tools/centrifugo")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("Centrifugo is missing; run scripts/setup: %v", err)
	}
	return path
}
