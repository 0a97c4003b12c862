//go:build external && linux

package powercut

import (
	"fmt"
	"sync"
	"testing"
)

// witness takes the failures of a test that is meant to fail. What ends a test
// at once still does.
type witness struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (w *witness) Errorf(format string, values ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, fmt.Sprintf(format, values...))
}
