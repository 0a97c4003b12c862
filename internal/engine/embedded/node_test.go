package embedded_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine/embedded/bundle"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
)

// TestNodeModules compares what the bundler promises with what a realm has.
func TestNodeModules(t *testing.T) {
	t.Parallel()
	promised, there := strings.Fields(bundle.NodeModules), realm.NodeModules()
	slices.Sort(promised)
	slices.Sort(there)
	if diff := cmp.Diff(there, promised); diff != "" {
		t.Errorf("(-there +promised):\n%s", diff)
	}
}
