package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"github.com/usefloww/flowwd/internal/engine"
)

// defaultPause is between two tries to get the default image.
const defaultPause = 30 * time.Second

// keepDefault sees to it that the default image is there. Who shares the daemon
// asks it at the same time, and it pulls once.
func (e *Engine) keepDefault() {
	for said := ""; ; {
		err := e.image(e.life, e.config.Default, func(line string) { e.config.Logger.Info("preparing the default runtime", "doing", line) })
		if e.life.Err() != nil {
			return
		}
		if err == nil {
			e.config.Logger.Info("the default runtime is ready", "image", e.config.Default)
			return
		}
		if err.Error() != said {
			said = err.Error()
			e.config.Logger.Warn("the default runtime is not ready: deployments that name no image are refused until it is", "reason", said)
		}
		select {
		case <-time.After(defaultPause):
		case <-e.life.Done():
			return
		}
	}
}

// HasDefault returns nil when the default image is there, or there is none to
// have. The error says what to do.
func (e *Engine) HasDefault(ctx context.Context) error {
	if e.config.Default == "" {
		return nil
	}
	_, err := e.api.ImageInspect(ctx, e.config.Default)
	if errdefs.IsNotFound(err) {
		return e.absent(e.config.Default, errors.New("the docker daemon does not have it yet"))
	}
	return err
}

// pullable tells whether an image may be asked for at a registry. A name of one
// word is that of an image that was built or loaded here: asking for it would
// give whatever the public registry has under it.
func pullable(image string) bool { return strings.Contains(image, "/") }

// absent says that an image is not there and why it can't be had.
func (e *Engine) absent(image string, why error) error {
	if image != e.config.Default {
		return &engine.Interrupted{Message: fmt.Sprintf("the image %s is gone, and pulling it again failed: %v", image, why)}
	}
	return &engine.Interrupted{Message: fmt.Sprintf("the image %s of the default runtime is not there (%v); whoever runs the server builds it with "+
		"docker build -f runtime-image/Dockerfile -t %s . or loads it with docker load, or names another one, or the word embedded, in DEFAULT_RUNTIME_IMAGE", image, why, image)}
}
