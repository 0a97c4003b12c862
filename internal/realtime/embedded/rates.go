package embedded

import (
	"sync"
	"time"
)

// meter counts what happened in the last minute, about: of the minute before
// this one, the part that is not over yet is taken to be like all of it.
type meter struct {
	since       time.Time
	now, before int
}

func (m *meter) move(at time.Time) {
	passed := at.Sub(m.since)
	switch {
	case passed < time.Minute:
		return
	case passed < 2*time.Minute:
		m.since, m.now, m.before = m.since.Add(time.Minute), 0, m.now
	default:
		m.since, m.now, m.before = at, 0, 0
	}
}

func (m *meter) add(at time.Time, n int) {
	m.move(at)
	m.now += n
}

func (m *meter) minute(at time.Time) int {
	m.move(at)
	left := max(0, time.Minute-at.Sub(m.since))
	return m.now + int(float64(m.before)*left.Seconds()/time.Minute.Seconds()+0.5)
}

// maxMetered is how many channels are counted for at a time, which is more than
// anybody reads.
const maxMetered = 10_000

// rates are how much is told at this node. Safe for concurrent use.
type rates struct {
	mu sync.Mutex
	// events counts publications, messages what subscribers were sent of them.
	events, messages meter
	channels         map[string]*meter
}

// published notes a publication to so many subscribers.
func (r *rates) published(channel string, subscribers int, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events.add(at, 1)
	r.messages.add(at, subscribers)
	m := r.channels[channel]
	if m == nil {
		r.sweep(at)
		if len(r.channels) >= maxMetered {
			return
		}
		m = &meter{since: at}
		r.channels[channel] = m
	}
	m.add(at, 1)
}

// sweep forgets channels that were still for long, when there are many.
func (r *rates) sweep(at time.Time) {
	if len(r.channels) < maxMetered {
		return
	}
	for channel, m := range r.channels {
		if m.minute(at) == 0 {
			delete(r.channels, channel)
		}
	}
}

// of returns how many events a channel had in the last minute.
func (r *rates) of(channel string, at time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.channels[channel]; m != nil {
		return m.minute(at)
	}
	return 0
}

// Rates returns how many events were told at this node in the last minute, and
// how many messages to subscribers that made.
func (n *Node) Rates() (events, messages int) {
	n.rates.mu.Lock()
	defer n.rates.mu.Unlock()
	at := n.config.Now()
	return n.rates.events.minute(at), n.rates.messages.minute(at)
}
