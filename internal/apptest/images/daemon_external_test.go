//go:build external

package images

import (
	"context"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/dockertest"
)

// shared is the daemon of all tests of this package that may share one, with our
// own image.
var shared struct {
	once   sync.Once
	daemon *dockertest.Daemon
	image  string
	err    error
}

// daemon returns the daemon of all tests, and the id of our own image at it.
func daemon(t *testing.T) (d *dockertest.Daemon, image string) {
	t.Helper()
	shared.once.Do(func() {
		if shared.daemon, shared.err = dockertest.Start(); shared.err != nil {
			return
		}
		atEnd = shared.daemon.Stop
		shared.image, shared.err = shared.daemon.Image(context.Background())
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.daemon, shared.image
}

// serve starts a server that runs code in containers of a daemon, which are
// removed with the test.
func serve(t *testing.T, d *dockertest.Daemon, o apptest.Options) *apptest.Server {
	t.Helper()
	o.OnDisk = true
	change := o.Settings
	o.Settings = func(c *config.Settings) {
		c.Runtime, c.DockerHost = config.RuntimeDocker, d.Host
		if change != nil {
			change(c)
		}
	}
	s := apptest.Start(t, o)
	t.Cleanup(func() {
		s.Stop(t)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.Clear(ctx, "io.flowwd.instance="+s.App.Instance()); err != nil {
			t.Errorf("clear away: %v", err)
		}
	})
	return s
}
