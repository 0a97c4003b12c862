package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is one PostgreSQL cluster.
type Server struct {
	// Data is the cluster's folder.
	Data    string
	port    int
	command *exec.Cmd
	output  *bytes.Buffer
	exited  chan struct{}
	names   atomic.Int64
}

// Options say how a cluster behaves.
type Options struct {
	// Parent is an existing folder that the cluster's own is made in; a new one
	// that goes with the test when empty.
	Parent string
	// Volatile keeps the cluster in memory where the machine has a file system
	// for that, which makes tests faster that cut no power.
	Volatile bool
}

// memory is where Linux has a file system in memory.
const memory = "/dev/shm"

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 30 * time.Second
)

// Start makes a cluster and starts it.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// New makes a cluster and starts it. The caller removes it.
func New(o Options) (*Server, error) {
	if o.Volatile && o.Parent == "" {
		if info, err := os.Stat(memory); err == nil && info.IsDir() {
			o.Parent = memory
		}
	}
	folder, err := os.MkdirTemp(o.Parent, "postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{Data: filepath.Join(folder, "data")}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := s.Run(); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

// create makes the cluster's files. PostgreSQL refuses to run as root, so they
// belong to its own user when the test runs as root.
func (s *Server) create() error {
	folder := filepath.Dir(s.Data)
	if err := os.Chmod(folder, 0o711); err != nil {
		return err
	}
	if err := os.Mkdir(s.Data, 0o700); err != nil {
		return err
	}
	who, err := account()
	if err != nil {
		return err
	}
	if who != nil {
		if err := os.Chown(s.Data, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	arguments := []string{"-D", s.Data, "-U", "flowwd", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions", "--no-sync"}
	initdb, err := command("initdb", arguments...)
	if err != nil {
		return err
	}
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("make a PostgreSQL cluster: %w\n%s", err, output)
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Data, "postgresql.auto.conf"), []byte(s.settings()), 0o644)
}

func (s *Server) settings() string {
	lines := []string{
		"listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", fmt.Sprintf("port = %d", s.port),
		"max_connections = 1000", "shared_buffers = 64MB", "log_min_messages = warning", "logging_collector = off",
	}
	return strings.Join(lines, "\n") + "\n"
}

// Run starts the server of the cluster and waits until it answers.
func (s *Server) Run() error {
	c, err := command("postgres", "-D", s.Data)
	if err != nil {
		return err
	}
	output, exited := &bytes.Buffer{}, make(chan struct{})
	c.Stdout, c.Stderr = output, output
	started := make(chan error)
	go func() {
		// The kernel ends the server together with the thread that started it,
		// so that one lives as long, and ends with this goroutine.
		runtime.LockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait() // how it ended is of no interest
			close(exited)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.output, s.exited, s.command = output, exited, c
	return s.wait()
}

func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.exited:
			return fmt.Errorf("PostgreSQL ended at its start:\n%s", s.output)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Process is the server's process.
func (s *Server) Process() *os.Process { return s.command.Process }

// Stop ends the server at once but in order: open transactions are rolled back.
func (s *Server) Stop() error { return s.end(syscall.SIGINT) }

// Crash ends the server without giving it time to write anything.
func (s *Server) Crash() error { return s.end(syscall.SIGQUIT) }

func (s *Server) end(signal syscall.Signal) error {
	if s.command == nil || s.command.Process == nil {
		return nil
	}
	_ = s.command.Process.Signal(signal) // fails when it has ended already
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
		_ = s.command.Process.Kill()
		return fmt.Errorf("PostgreSQL did not end within %v of %v", stopTimeout, signal)
	}
}

// Remove ends the server and removes its files.
func (s *Server) Remove() error {
	return errors.Join(s.Crash(), os.RemoveAll(filepath.Dir(s.Data)))
}

// URL is the address of a database of the cluster.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://flowwd@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Database makes a new database and returns its address.
func (s *Server) Database(ctx context.Context) (string, error) { return s.copy(ctx, "template1") }

// Copy makes a database with all that is in another of this server, to which
// nobody is connected, and returns its address.
func (s *Server) Copy(ctx context.Context, databaseURL string) (string, error) {
	c, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return "", err
	}
	return s.copy(ctx, c.Database)
}

func (s *Server) copy(ctx context.Context, from string) (string, error) {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	name := "test" + strconv.FormatInt(s.names.Add(1), 10)
	statement := "CREATE DATABASE " + name + " TEMPLATE " + pgx.Identifier{from}.Sanitize()
	if _, err := conn.Exec(ctx, statement+" STRATEGY file_copy"); err != nil {
		// The strategy has a name only since version 15.
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("make a database: %w", err)
		}
	}
	return s.URL(name), nil
}

// command is one of PostgreSQL's programs, run as a user that it accepts.
func command(name string, arguments ...string) (*exec.Cmd, error) {
	path, err := find(name)
	if err != nil {
		return nil, err
	}
	who, err := account()
	if err != nil {
		return nil, err
	}
	c := exec.Command(path, arguments...)
	c.Dir = "/"
	c.SysProcAttr = attributes(who)
	return c, nil
}

// find looks where Debian keeps the programs that are not on the path.
func find(name string) (string, error) {
	const folders = "/usr/lib/postgresql/*/bin/"
	found, err := filepath.Glob(folders + name)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return slices.Max(found), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is not installed (run scripts/setup): %w", err)
	}
	return path, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
