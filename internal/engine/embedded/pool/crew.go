package pool

import (
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Runs are short as a rule, and a process that ran a moment ago has its memory
// in the processor's caches: short runs that take turns on a few children cost
// half of what they cost on as many children as there are runs. So an
// organization that has some gets another only when its own are slow to come
// back.
const (
	// turn is how long an organization's children may all be lent, without one
	// of them coming back, before it gets as many again: about as long as a
	// child takes to start.
	turn = 25 * time.Millisecond
	// turns is how many turns somebody waits at most when children do come
	// back, to others.
	turns = 8
)

// crew is what the pool knows of the children that one owner has borrowed.
type crew struct {
	lent int
	// moved is when one of them was last lent or given back.
	moved time.Time
}

// lend notes that an owner has got a child.
func (p *Pool) lend(c *Child, owner id.ID) {
	c.owner = owner
	k := p.crews[owner]
	if k == nil {
		k = &crew{}
		p.crews[owner] = k
	}
	k.lent++
	k.moved = p.config.Now()
}

// back notes that an owner has a child less.
func (p *Pool) back(c *Child) {
	k := p.crews[c.owner]
	if k.lent--; k.lent == 0 {
		delete(p.crews, c.owner)
		return
	}
	k.moved = p.config.Now()
}

// mayGrow reports whether somebody who waits gets a child more than their owner
// has, rather than one that comes back.
func (p *Pool) mayGrow(w *waiter) bool { return p.room(w) > 0 || w.memory > p.config.Memory }

// room is how many children more the owner of somebody who waits may get now.
func (p *Pool) room(w *waiter) int {
	k := p.crews[w.owner]
	switch {
	case k == nil:
		return p.config.AtOnce
	case p.config.Now().Sub(k.moved) >= turn:
		return max(p.config.AtOnce, k.lent)
	case k.lent < p.config.AtOnce:
		return p.config.AtOnce - k.lent
	case w.turns >= turns:
		return 1
	}
	return 0
}

// growing are those who wait for a child that is not there yet, in order.
func (p *Pool) growing() (all []*waiter) {
	room := make(map[id.ID]int, len(p.waiters))
	for _, w := range p.waiters {
		left, known := room[w.owner]
		if !known {
			left = p.room(w)
		}
		if left > 0 || w.memory > p.config.Memory {
			all = append(all, w)
		}
		room[w.owner] = left - 1
	}
	return all
}

// watch looks after a turn whether those who wait still do.
func (p *Pool) watch() {
	if p.watching || len(p.waiters) == 0 {
		return
	}
	p.watching = true
	time.AfterFunc(turn, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.watching = false
		for _, w := range p.waiters {
			w.turns++
		}
		p.schedule()
	})
}
