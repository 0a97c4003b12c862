package issuer

import "sync"

// Recent remembers what was put last, between half of its limit and all of it.
// It forgets by generations, because what clients can fill must stay bounded
// without a look at every entry.
type Recent[K comparable, V any] struct {
	limit int

	mu         sync.Mutex
	young, old map[K]V
}

// NewRecent returns an empty Recent for at most limit values.
func NewRecent[K comparable, V any](limit int) *Recent[K, V] {
	return &Recent[K, V]{limit: limit, young: map[K]V{}}
}

// Get returns what was put for a key.
func (r *Recent[K, V]) Get(key K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.young[key]; ok {
		return v, true
	}
	v, ok := r.old[key]
	if ok {
		r.put(key, v)
	}
	return v, ok
}

// Put remembers a value.
func (r *Recent[K, V]) Put(key K, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(key, value)
}

func (r *Recent[K, V]) put(key K, value V) {
	if len(r.young) >= r.limit/2 {
		r.old, r.young = r.young, make(map[K]V)
	}
	r.young[key] = value
}
