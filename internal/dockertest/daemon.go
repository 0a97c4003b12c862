package dockertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Daemon is a docker daemon. It can be killed and started again.
type Daemon struct {
	// Host is its address, as settings name it.
	Host string
	// API speaks with it.
	API *client.Client

	dir    string
	mu     sync.Mutex
	cancel func()
	ended  chan error
	log    bytes.Buffer
}

const (
	startPatience = time.Minute
	startPause    = 20 * time.Millisecond
	stopPatience  = 40 * time.Second
)

// Start starts a daemon, for a TestMain. Stop it at the end.
func Start() (*Daemon, error) {
	dir, err := os.MkdirTemp("", "dockerd")
	if err != nil {
		return nil, err
	}
	d := &Daemon{dir: dir, Host: "unix://" + filepath.Join(dir, "socket")}
	if d.API, err = client.New(client.WithHost(d.Host)); err != nil {
		return nil, err
	}
	return d, d.Restart()
}

// Restart starts the daemon after Kill, with all that it had.
func (d *Daemon) Restart() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	// What a killed daemon leaves in these has its old processes in the way.
	for _, stale := range []string{"pid", "exec/containerd/containerd.pid"} {
		if err := os.Remove(filepath.Join(d.dir, stale)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	command := exec.Command("dockerd", "--host", d.Host, "--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--bridge", "none", "--iptables=false", "--ip6tables=false", "--log-level", "warn")
	command.Stdout, command.Stderr = &d.log, &d.log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	d.ended = make(chan error, 1)
	go func() {
		// The daemon ends with the thread that started it.
		runtime.LockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			d.ended <- command.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start dockerd (scripts/setup installs it): %w", err)
	}
	d.cancel = func() { _ = command.Process.Kill() } // fails when it has ended
	return d.await(command)
}

func (d *Daemon) await(command *exec.Cmd) error {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	for {
		if _, err := d.API.Ping(ctx, client.PingOptions{}); err == nil {
			return nil
		}
		select {
		case err := <-d.ended:
			return fmt.Errorf("dockerd ended: %w\n%s", err, d.log.String())
		case <-ctx.Done():
			d.cancel()
			<-d.ended
			return fmt.Errorf("dockerd does not answer within %v\n%s", startPatience, d.log.String())
		case <-time.After(startPause):
		}
	}
}

// Clear removes the containers that have a label, such as "name=value".
func (d *Daemon) Clear(ctx context.Context, label string) error {
	filters := client.Filters{}
	filters.Add("label", label)
	list, err := d.API.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return err
	}
	removed := make([]error, len(list.Items))
	var all sync.WaitGroup
	for i, c := range list.Items {
		all.Go(func() {
			_, removed[i] = d.API.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true})
			if errdefs.IsNotFound(removed[i]) || errdefs.IsConflict(removed[i]) {
				removed[i] = nil // another removes it
			}
		})
	}
	all.Wait()
	return errors.Join(removed...)
}

// Kill ends the daemon as a crash does. What runs in containers may go on.
func (d *Daemon) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
		<-d.ended
		d.cancel = nil
	}
}

// Stop ends the daemon with its containers and removes what it kept.
func (d *Daemon) Stop() (err error) {
	if d.cancel == nil {
		if err := d.Restart(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	pid, read := os.ReadFile(filepath.Join(d.dir, "pid"))
	var n int
	if _, scan := fmt.Sscan(string(pid), &n); scan == nil && read == nil {
		err = errors.Join(err, syscall.Kill(n, syscall.SIGTERM))
	}
	select {
	case <-d.ended:
	case <-time.After(stopPatience):
		d.cancel()
		<-d.ended
	}
	d.cancel = nil
	return errors.Join(err, d.unmount(), os.RemoveAll(d.dir))
}

// unmount undoes what a killed daemon left.
func (d *Daemon) unmount() error {
	text, err := os.ReadFile("/proc/mounts")
	for line := range strings.Lines(string(text)) {
		if at := strings.Fields(line)[1]; strings.HasPrefix(at, d.dir+"/") {
			err = errors.Join(err, syscall.Unmount(at, syscall.MNT_DETACH))
		}
	}
	return err
}
