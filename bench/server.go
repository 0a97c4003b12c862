package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/usefloww/flowwd/internal/client"
)

// server is the built binary serving a data folder.
type server struct {
	command *exec.Cmd
	url     string
	// database is the address of its PostgreSQL database; empty for SQLite.
	database string
	key      string
	// started is how long it took from the start of the process until it
	// answered that it is ready.
	started time.Duration
	api     *client.Client
	http    *http.Client
}

// startServer starts the binary on a free port and waits until it is ready.
func startServer(ctx context.Context, o options, dir, database string) (*server, error) {
	arguments := []string{"apikey", "create", "--data-dir", dir, "--database-url", database, "--name", "bench"}
	key, err := exec.CommandContext(ctx, o.binary, arguments...).Output()
	if err != nil {
		return nil, fmt.Errorf("create an API key: %w", err)
	}
	s := &server{
		key: strings.TrimSpace(string(key)), database: database,
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	}
	s.command = exec.Command(o.binary, "serve", "--database-url", database, "--data-dir", dir, "--listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "info",
		"--rate-limit", "1000000")
	// Servers that share a database share the key.
	s.command.Env = append(os.Environ(), "ENCRYPTION_KEY="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	s.command.Env = append(s.command.Env, o.env...)
	stderr, err := s.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stderr)
	for s.url == "" && lines.Scan() {
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "flowwd is ready" {
			s.url = line.URL
		}
	}
	if s.url == "" {
		return nil, errors.New("the server ended before it was ready")
	}
	if err := s.waitReady(ctx); err != nil {
		return nil, err
	}
	s.started = time.Since(begin)
	go func() {
		for lines.Scan() { // the log must not fill the pipe
		}
	}()
	s.api, err = client.New(s.url, s.key, s.http)
	return s, err
}

func (s *server) waitReady(ctx context.Context) error {
	for ctx.Err() == nil {
		res, err := s.http.Get(s.url + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}

// kill ends the server as a crash does.
func (s *server) kill() error {
	s.http.CloseIdleConnections()
	if err := s.command.Process.Kill(); err != nil {
		return err
	}
	_ = s.command.Wait() // it was killed
	return nil
}

func (s *server) stop() error {
	s.http.CloseIdleConnections()
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.command.Wait()
}

// deploy makes a workflow of a code file, and returns the path of its only
// webhook.
func (s *server) deploy(ctx context.Context, name, code string) (string, error) {
	namespaces, err := s.api.Namespaces(ctx)
	if err != nil {
		return "", err
	}
	return s.deployIn(ctx, namespaces[0].ID, name, code)
}

func (s *server) deployIn(ctx context.Context, namespace, name, code string) (string, error) {
	w, err := s.api.CreateWorkflow(ctx, client.NewWorkflow{Name: name, NamespaceID: namespace})
	if err != nil {
		return "", err
	}
	d, err := s.api.Deploy(ctx, client.NewDeployment{
		WorkflowID: w.ID,
		Code:       client.Code{Files: map[string]string{"main.ts": code}, Entrypoint: "main.ts"},
	})
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(d.Webhooks[0].URL, s.url), nil
}

// call calls an operation that the client has no method for.
func (s *server) call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, sent)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.key)
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s answers %s: %s", method, path, res.Status, answer)
	}
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// memory returns the memory of the server and of its children together, in
// bytes: the proportional set size, which counts shared pages once.
func (s *server) memory() (all int64, children int, err error) {
	pids := []int{s.command.Process.Pid}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[0]))
	if err != nil {
		return 0, 0, err
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	alive := 0
	for _, pid := range pids {
		pss, err := proportional(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the child has ended
		}
		if err != nil {
			return 0, 0, err
		}
		all, alive = all+pss, alive+1
	}
	return all, alive - 1, nil
}

func proportional(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no Pss", pid)
}

// completed reads how many runs the server has completed.
func (s *server) completed() (int, error) {
	n, err := s.metric(`flowwd_attempts_ended_total{state="completed"}`)
	return int(n), err
}

// busy reports whether runs wait, go on or are about to be stored as ended. It asks in
// the order in which a run goes through them, so that it misses none.
func (s *server) busy() (bool, error) {
	for _, name := range []string{"flowwd_queue_waiting", "flowwd_runs", "flowwd_run_ends"} {
		if n, err := s.metric(name); err != nil || n > 0 {
			return true, err
		}
	}
	return false, nil
}

// metric reads one measurement of the server; 0 when there is none yet.
func (s *server) metric(name string) (float64, error) {
	res, err := s.http.Get(s.url + "/metrics")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("/metrics answers %s", res.Status)
	}
	value := 0.0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			if value, err = strconv.ParseFloat(rest, 64); err != nil {
				return 0, err
			}
		}
	}
	return value, nil
}
