//go:build linux && (amd64 || arm64) && !race

package sandbox_test

import (
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/engine/embedded/sandbox"
)

// TestMemoryIsBounded is not built with the race detector, whose own memory is
// beyond any bound.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	_, err := start(t, task{Do: "allocate", Options: sandbox.Options{Data: 256 << 20}})
	if err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Fatalf("a process that allocates 2 GB of 256 MB ended with %v", err)
	}
}
