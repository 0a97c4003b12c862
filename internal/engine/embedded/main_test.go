package embedded_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/usefloww/flowwd/internal/engine/embedded"
)

// TestMain lets the test binary be its own child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == embedded.ChildWord {
		os.Exit(embedded.RunChild(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
