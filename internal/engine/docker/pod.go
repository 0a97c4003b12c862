package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sync/semaphore"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
)

// podKey is the isolation key: code of two organizations never shares a
// container.
type podKey struct {
	organization id.ID
	image        string
}

// pod is what there is of an organization and image.
type pod struct {
	key podKey
	// room is for runs; one that must be alone takes all of it.
	room *semaphore.Weighted
	// changing is held by who starts or stops the containers; what follows is
	// its holder's.
	changing chan struct{}
	pair     *pair
	current  *instance
	// broken is why the last start failed, until then.
	broken      error
	brokenUntil time.Time

	// Under the engine's mu.
	users    int
	lastUsed time.Time
	// alone is how many of the next runs must be alone, since one of several
	// made the container crash.
	alone int
}

const (
	// brokenFor is how long an image that does not start is not tried again.
	brokenFor = 5 * time.Second
	// startTries bound how often a run meets a container that ends.
	startTries = 3
)

func (e *Engine) newPod(key podKey) *pod {
	return &pod{
		key: key, room: semaphore.NewWeighted(int64(e.config.Concurrency)), changing: make(chan struct{}, 1), lastUsed: e.config.Now(),
	}
}

// use returns the pod of a key, which stays until release.
func (e *Engine) use(key podKey) *pod {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.pods[key]
	if p == nil {
		p = e.newPod(key)
		e.pods[key] = p
	}
	p.users++
	return p
}

func (e *Engine) release(p *pod) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p.users--
	p.lastUsed = e.config.Now()
}

// enter waits for room in a living container. The caller calls leave.
func (e *Engine) enter(ctx context.Context, p *pod, report func(string)) (in *instance, leave func(), err error) {
	for range startTries {
		if in, err = e.up(ctx, p, report); err != nil {
			return nil, nil, err
		}
		weight := e.weight(p, in)
		if err := p.room.Acquire(ctx, weight); err != nil {
			return nil, nil, err
		}
		if in.alive() {
			return in, func() { p.room.Release(weight) }, nil
		}
		p.room.Release(weight)
	}
	return nil, nil, &engine.Interrupted{Message: fmt.Sprintf("the container of %s ends again and again before it takes a run", p.key.image)}
}

// weight is how much room a run takes. An image that knows only the contract
// mixes what runs at the same time.
func (e *Engine) weight(p *pod, in *instance) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.alone > 0 {
		p.alone--
		return int64(e.config.Concurrency)
	}
	if !in.streams {
		return int64(e.config.Concurrency)
	}
	return 1
}

// separate has as many of the next runs be alone, so that the one at fault is
// found.
func (e *Engine) separate(key podKey, runs int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.pods[key]; p != nil {
		p.alone = max(p.alone, runs)
	}
}

// hold waits until nobody else changes the pod's containers.
func (p *pod) hold(ctx context.Context) error {
	select {
	case p.changing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pod) letGo() { <-p.changing }

// up returns a living instance, started when there is none.
func (e *Engine) up(ctx context.Context, p *pod, report func(string)) (*instance, error) {
	if err := p.hold(ctx); err != nil {
		return nil, err
	}
	defer p.letGo()
	if p.current != nil {
		if p.current.alive() {
			return p.current, nil
		}
		e.discard(p)
	}
	if p.broken != nil && e.config.Now().Before(p.brokenUntil) {
		return nil, p.broken
	}
	p.broken = nil
	in, err := e.start(ctx, p, report)
	if err != nil {
		if _, ok := errors.AsType[*engine.Failure](err); ok {
			p.broken, p.brokenUntil = err, e.config.Now().Add(brokenFor)
		}
		return nil, err
	}
	p.current = in
	return in, nil
}

// discard removes what is left of an instance that ended.
func (e *Engine) discard(p *pod) {
	p.current.link.close()
	p.current = nil
	if p.pair != nil {
		e.remove(p.pair)
		p.pair = nil
	}
}

// start makes an instance: of the pair that is there, else of a new one.
func (e *Engine) start(ctx context.Context, p *pod, report func(string)) (*instance, error) {
	if p.pair != nil && !p.pair.held && e.spares.count() > 0 {
		stopped := p.pair
		e.work.Go(func() { e.remove(stopped) }) // a new one is up sooner
		p.pair = nil
	}
	if p.pair != nil {
		in, err := e.resume(ctx, p)
		if err == nil {
			return in, nil
		}
		if ctx.Err() != nil || e.life.Err() != nil {
			return nil, err
		}
		e.config.Logger.Debug("containers that were there can't be used; making new ones", "image", p.key.image, "reason", err)
		e.remove(p.pair)
		p.pair = nil
	}
	if err := e.image(ctx, p.key.image, report); err != nil {
		return nil, err
	}
	report("starting a container")
	made, err := e.create(ctx, p.key)
	if err != nil {
		return nil, err
	}
	in, err := e.bring(ctx, p.key, made)
	if err != nil {
		e.remove(made)
		return nil, err
	}
	p.pair = made
	report("the container is healthy")
	return in, nil
}

// bring starts a pair and waits until it is healthy. The relay starts beside the
// code, both of which need the holder.
func (e *Engine) bring(ctx context.Context, key podKey, pair *pair) (*instance, error) {
	if !pair.held {
		if _, err := e.api.ContainerStart(ctx, pair.holder, client.ContainerStartOptions{}); err != nil {
			return nil, refused("started", key.image, err)
		}
		pair.held = true
	}
	in := e.newInstance(key, pair)
	linked := make(chan error, 1)
	go func() { linked <- in.openLink(ctx) }()
	_, err := e.api.ContainerStart(ctx, pair.code, client.ContainerStartOptions{})
	noLink := <-linked
	switch {
	case err == nil && noLink == nil:
		pair.running = true
		return in, in.live(ctx)
	case noLink == nil:
		in.link.close()
	}
	if ctx.Err() == nil && !e.stands(ctx, pair.holder) {
		return nil, errHolderGone()
	}
	if err != nil {
		return nil, refused("started", key.image, err)
	}
	return nil, noLink
}

func errHolderGone() error {
	return &engine.Interrupted{Message: "the process beside the container was ended while the container started"}
}

// resume uses the pair that is there. What an earlier server left running in an
// image that can end no run is started again.
func (e *Engine) resume(ctx context.Context, p *pod) (*instance, error) {
	if p.pair.running {
		in, err := e.connect(ctx, p.key, p.pair)
		if err != nil || in.streams {
			return in, err
		}
		in.kill()
		<-in.gone
		in.link.close()
	}
	return e.bring(ctx, p.key, p.pair)
}
