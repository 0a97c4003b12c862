package execution

import (
	"sync"

	"github.com/usefloww/flowwd/internal/id"
)

// watchers are those who wait for changes of executions.
type watchers struct {
	mu  sync.Mutex
	all map[id.ID]map[chan struct{}]bool
}

func newWatchers() *watchers { return &watchers{all: map[id.ID]map[chan struct{}]bool{}} }

func (w *watchers) watch(execution id.ID) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all[execution] == nil {
		w.all[execution] = map[chan struct{}]bool{}
	}
	w.all[execution][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all[execution], c)
		if len(w.all[execution]) == 0 {
			delete(w.all, execution)
		}
	}
}

func (w *watchers) signal(execution id.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wake(w.all[execution])
}

func (w *watchers) signalAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, channels := range w.all {
		wake(channels)
	}
}

func wake(channels map[chan struct{}]bool) {
	for c := range channels {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
