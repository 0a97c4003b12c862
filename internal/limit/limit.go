package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	// shards are locked apart from one another.
	shards = 16
	// DefaultKeys is how many keys are remembered when nothing else is said:
	// some megabytes.
	DefaultKeys = 1 << 16
	// candidates is how many buckets are looked at to forget one of them.
	candidates = 8
)

// Limiter lets each key through Rate times a second in the long run, and Burst
// times at once. Safe for concurrent use.
type Limiter[K comparable] struct {
	// interval is the time that a token takes to come, and depth that of all.
	interval, depth time.Duration
	seed            maphash.Seed
	// most is how many keys a shard remembers.
	most  int
	parts [shards]shard[K]
}

type shard[K comparable] struct {
	mu sync.Mutex
	// full is when a bucket is full again; one that is full needs no entry.
	full map[K]time.Time
}

// New returns a Limiter for rate tokens a second, burst at once, and about so
// many keys at the same time; 0 for DefaultKeys.
func New[K comparable](rate, burst, keys int) *Limiter[K] {
	if keys == 0 {
		keys = DefaultKeys
	}
	interval := time.Second / time.Duration(rate)
	return &Limiter[K]{
		interval: interval, depth: interval * time.Duration(burst), seed: maphash.MakeSeed(), most: max(1, keys/shards),
	}
}

// Take takes a token of key. When there is none it returns how long to wait for
// one.
func (l *Limiter[K]) Take(key K, now time.Time) (wait time.Duration, ok bool) {
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	full := l.fullAt(s, key, now).Add(l.interval)
	if wait := full.Sub(now) - l.depth; wait > 0 {
		return wait, false
	}
	s.keep(key, full, now, l.most)
	return 0, true
}

// fullAt returns when the bucket of key is full.
func (l *Limiter[K]) fullAt(s *shard[K], key K, now time.Time) time.Time {
	full := s.full[key]
	if full.Before(now) {
		return now
	}
	if empty := now.Add(l.depth); full.After(empty) {
		// The clock was set back; from here on the bucket fills by the new time.
		s.full[key] = empty
		return empty
	}
	return full
}

// Empty reports how long to wait until there is a token of key; zero when there
// is one.
func (l *Limiter[K]) Empty(key K, now time.Time) time.Duration {
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, l.fullAt(s, key, now).Add(l.interval).Sub(now)-l.depth)
}

func (l *Limiter[K]) shard(key K) *shard[K] {
	return &l.parts[maphash.Comparable(l.seed, key)%shards]
}

// keep remembers when a bucket is full. Where there are too many, the one that
// is full first among some is forgotten: it has taken least.
func (s *shard[K]) keep(key K, full, now time.Time, most int) {
	if s.full == nil {
		s.full = make(map[K]time.Time)
	}
	if _, known := s.full[key]; !known && len(s.full) >= most {
		s.forget(now)
	}
	s.full[key] = full
}

func (s *shard[K]) forget(now time.Time) {
	var first K
	var least time.Time
	looked, forgotten := 0, false
	// A map is walked from anywhere, so that this looks at any.
	for key, full := range s.full {
		if !full.After(now) {
			delete(s.full, key)
			forgotten = true
		} else if least.IsZero() || full.Before(least) {
			first, least = key, full
		}
		if looked++; looked >= candidates {
			break
		}
	}
	if !forgotten {
		delete(s.full, first)
	}
}

// Len returns how many keys are remembered.
func (l *Limiter[K]) Len() int {
	n := 0
	for i := range l.parts {
		s := &l.parts[i]
		s.mu.Lock()
		n += len(s.full)
		s.mu.Unlock()
	}
	return n
}
