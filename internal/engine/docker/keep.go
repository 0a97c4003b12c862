package docker

import (
	"context"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/usefloww/flowwd/internal/id"
)

// adopt takes over the pairs of an earlier life, and removes what is no whole
// pair or was made with other settings.
func (e *Engine) adopt(ctx context.Context) error {
	pods, orphans, err := e.found(ctx)
	if err != nil {
		return err
	}
	e.mu.Lock()
	for key, pair := range pods {
		p := e.newPod(key)
		p.pair = pair
		e.pods[key] = p
	}
	e.mu.Unlock()
	for _, o := range orphans {
		e.remove(o)
	}
	if len(pods) > 0 || len(orphans) > 0 {
		e.config.Logger.Info("containers of an earlier start were found", "taken over", len(pods), "removed", len(orphans))
	}
	return nil
}

// found sorts the containers of this installation.
func (e *Engine) found(ctx context.Context) (pods map[podKey]*pair, orphans []*pair, err error) {
	all, err := e.ours(ctx)
	if err != nil {
		return nil, nil, err
	}
	image, err := e.relayImage(ctx)
	if err != nil {
		return nil, nil, err
	}
	pairs, keys := map[string]*pair{}, map[string]podKey{}
	for _, c := range all {
		name := c.Labels[labelPair]
		p := pairs[name]
		if p == nil {
			p = &pair{}
			pairs[name] = p
		}
		if c.Labels[labelRole] == roleHolder {
			p.holder, p.held = c.ID, c.State == container.StateRunning
		} else {
			p.code, p.running = c.ID, c.State == container.StateRunning
		}
		organization, err := id.Parse(c.Labels[labelOrganization])
		if err == nil && c.Labels[labelSettings] == e.settings+" "+image {
			keys[name] = podKey{organization: organization, image: c.Labels[labelImage]}
		}
	}
	pods = map[podKey]*pair{}
	for name, p := range pairs {
		key, fits := keys[name]
		if !fits || p.holder == "" || p.code == "" || pods[key] != nil {
			orphans = append(orphans, p)
			continue
		}
		pods[key] = p
	}
	return pods, orphans, nil
}

// keepEvery is the longest between two looks at what is idle.
const keepEvery = 15 * time.Second

// keep stops and removes containers that nobody needs.
func (e *Engine) keep() {
	ticker := time.NewTicker(min(keepEvery, max(e.config.StopAfter/4, 10*time.Millisecond)))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, p := range e.idle() {
				e.rest(p)
			}
		case <-e.life.Done():
			return
		}
	}
}

// idle are the pods that nobody uses.
func (e *Engine) idle() []*pod {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*pod
	for _, p := range e.pods {
		if p.users == 0 && e.config.Now().Sub(p.lastUsed) >= e.config.StopAfter {
			out = append(out, p)
		}
	}
	return out
}

// rest stops the containers of an idle pod, and later removes them.
func (e *Engine) rest(p *pod) {
	select {
	case p.changing <- struct{}{}:
		defer p.letGo()
	default:
		return // somebody needs it after all
	}
	e.mu.Lock()
	needed, since := p.users > 0, e.config.Now().Sub(p.lastUsed)
	forgotten := !needed && since >= e.config.RemoveAfter
	if forgotten {
		delete(e.pods, p.key)
	}
	e.mu.Unlock()
	switch {
	case needed:
	case forgotten:
		if p.current != nil {
			e.discard(p)
		} else if p.pair != nil {
			e.remove(p.pair)
		}
	case p.pair != nil && p.pair.running:
		e.put(p)
	}
}

// put stops the containers of a pod.
func (e *Engine) put(p *pod) {
	if p.current != nil {
		p.current.link.close()
		p.current = nil
	}
	ctx, cancel := context.WithTimeout(e.life, removeTimeout)
	defer cancel()
	if err := e.halt(ctx, p.pair); err != nil {
		e.config.Logger.Warn("an idle container could not be stopped", "container", p.pair.code, "error", err)
	}
}

// disconnect lets go of all containers, which stay.
func (e *Engine) disconnect() {
	e.mu.Lock()
	pods := make([]*pod, 0, len(e.pods))
	for _, p := range e.pods {
		pods = append(pods, p)
	}
	e.mu.Unlock()
	for _, p := range pods {
		_ = p.hold(context.Background()) // it never ends
		if p.current != nil {
			p.current.link.close()
		}
		p.letGo()
	}
}
