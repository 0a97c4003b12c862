package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// floorWord is the argument with which this program starts itself as the floor.
const floorWord = "floor"

// serveFloor is the least that a program does which acknowledges events when they
// are on disk: it reads them by HTTP, writes them to the end of a file, and syncs
// those together that came meanwhile. It prints its address.
func serveFloor(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	type event struct {
		body []byte
		done chan error
	}
	queue := make(chan event, 1024)
	go func() {
		for first := range queue {
			batch := []event{first}
			for len(queue) > 0 && len(batch) < 256 {
				batch = append(batch, <-queue)
			}
			var all []byte
			for _, e := range batch {
				all = append(all, e.body...)
			}
			_, err := f.Write(all)
			if err == nil {
				err = f.Sync()
			}
			for _, e := range batch {
				e.done <- err
			}
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			e := event{body, make(chan error, 1)}
			queue <- e
			err = <-e.done
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, `{"ok":true}`)
	})}
	return server.Serve(l)
}

// startFloor starts the floor as a process of its own. stop ends it.
func startFloor(ctx context.Context, work string) (s *server, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	command := exec.CommandContext(ctx, self, floorWord, filepath.Join(work, "floor"))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := command.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	}
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("the floor does not start: %w", err)
	}
	return &server{url: strings.TrimSpace(string(line[:n])), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}, stop, nil
}
