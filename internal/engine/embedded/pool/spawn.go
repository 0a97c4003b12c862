package pool

import (
	"context"
	"time"
)

// Spawn starts a child that belongs to the caller, who kills it in the end. It
// does not count as one of the pool's.
func (p *Pool) Spawn(ctx context.Context, memory, native int64) (*Child, error) {
	if !p.enter() {
		return nil, ErrStopping
	}
	defer p.group.Done()
	request := startRequest{memory: memory, native: native, answer: make(chan startAnswer, 1)}
	select {
	case p.starter.requests <- request:
	case <-p.closing:
		return nil, ErrStopping
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	answer := <-request.answer
	if answer.err != nil {
		return nil, answer.err
	}
	c := answer.child
	p.adopt(c)
	if err := c.start(p.config.Insecure, p.config.StartTimeout); err != nil {
		if c.Killed() == Stopping {
			return nil, ErrStopping
		}
		return nil, err
	}
	return c, nil
}

// enter makes Stop wait for the caller, who calls group.Done; false when the
// pool is stopping already.
func (p *Pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping || !p.started {
		return false
	}
	p.group.Add(1)
	return true
}

// adopt sees to it that a process is waited for and does not outlive the pool.
func (p *Pool) adopt(c *Child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[c] = struct{}{}
	if p.stopping {
		c.Kill(Stopping)
	}
	p.group.Go(func() {
		c.wait()
		p.reaped(c)
	})
}

// reaped forgets a process. An idle child that ended by itself is replaced.
func (p *Pool) reaped(c *Child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, c)
	if p.stopping {
		return
	}
	for i, x := range p.idle {
		if x == c {
			p.drop(i)
			p.config.Logger.Warn("an idle child process for user code ended", "signal", c.exit().Signal, "stderr", c.stderr.String())
			p.schedule()
			return
		}
	}
}

// housekeep ends children that are idle for too long and tries again to start
// spare ones, until the pool stops.
func (p *Pool) housekeep() {
	ticker := time.NewTicker(max(p.config.IdleTimeout/6, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.tidy()
		case <-p.closing:
			return
		}
	}
}

func (p *Pool) tidy() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, spares := p.config.Now(), 0
	for i := 0; i < len(p.idle); {
		c := p.idle[i]
		if c.owner.IsZero() {
			spares++
		}
		if (!c.owner.IsZero() || spares > p.config.Spares) && now.Sub(c.idleSince) >= p.config.IdleTimeout {
			p.drop(i)
			continue
		}
		i++
	}
	p.paused = false
	p.schedule()
}
