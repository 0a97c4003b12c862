package docker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/moby/moby/client"
)

const (
	// restockPause is how long a spare holder is not replaced that was taken: what
	// took it needs the machine first.
	restockPause = time.Second
	// restockAgain is when it is tried again to make one that could not be made.
	restockAgain = 30 * time.Second
)

// holder is a running container that holds a network namespace.
type holder struct {
	id string
	// pair names the pair that it is made for.
	pair string
}

// spares are holders that are made ahead, since a network namespace takes longest
// of all that a container needs. Nothing has run in them and they are nobody's, so
// that each may become part of any organization's pair, once.
type spares struct {
	mu    sync.Mutex
	ready []holder
	// taken is signalled when there is one less.
	taken chan struct{}
}

func (s *spares) add(h holder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = append(s.ready, h)
}

func (s *spares) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ready)
}

func (s *spares) take() (h holder, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ready) == 0 {
		return h, false
	}
	h, s.ready = s.ready[0], s.ready[1:]
	select {
	case s.taken <- struct{}{}:
	default:
	}
	return h, true
}

// spare takes a holder that was made ahead; false when there is none.
func (e *Engine) spare(ctx context.Context) (holder, bool) {
	for {
		h, ok := e.spares.take()
		if !ok || e.stands(ctx, h.id) {
			return h, ok
		}
		e.remove(&pair{holder: h.id}) // somebody ended it
	}
}

// stock keeps as many holders ready as there are to be.
func (e *Engine) stock() {
	pause := time.Duration(0)
	for {
		select {
		case <-time.After(pause):
		case <-e.life.Done():
			return
		}
		if e.spares.count() >= e.config.Spare {
			select {
			case <-e.spares.taken:
			case <-e.life.Done():
				return
			}
			pause = restockPause
			continue
		}
		pause = 0
		h, err := e.makeHolder(e.life, nil)
		if err == nil {
			e.spares.add(h)
		} else if e.life.Err() == nil {
			pause = restockAgain
			e.config.Logger.Debug("no network namespace could be made ahead; trying again later", "error", err)
		}
	}
}

// makeHolder makes a holder and starts it; key is whom it is for, nil for whoever
// comes.
func (e *Engine) makeHolder(ctx context.Context, key *podKey) (holder, error) {
	image, err := e.relayImage(ctx)
	if err != nil {
		return holder{}, err
	}
	h := holder{pair: e.config.IDs.New().String()}
	if h.id, err = e.createOne(ctx, "flowwd-holder-"+h.pair, e.holder(image, e.labels(image, h.pair, roleHolder, key))); err != nil {
		return holder{}, fmt.Errorf("create the holder of a container: %w", err)
	}
	if _, err = e.api.ContainerStart(ctx, h.id, client.ContainerStartOptions{}); err != nil {
		e.remove(&pair{holder: h.id})
		return holder{}, fmt.Errorf("start the holder of a container: %w", err)
	}
	return h, nil
}

// stands reports whether a container runs.
func (e *Engine) stands(ctx context.Context, container string) bool {
	found, err := e.api.ContainerInspect(ctx, container, client.ContainerInspectOptions{})
	return err == nil && found.Container.State != nil && found.Container.State.Running
}
