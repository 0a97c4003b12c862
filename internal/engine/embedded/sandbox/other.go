//go:build !linux || !(amd64 || arm64)

package sandbox

import (
	"fmt"
	"runtime"
)

// Supported says that this system has no sandbox.
func Supported() error {
	return fmt.Errorf("the sandbox for user code needs Linux on amd64 or arm64; this is %s on %s", runtime.GOOS, runtime.GOARCH)
}

// Enter fails: this system has no sandbox.
func Enter(Options) (Status, error) { return Status{}, Supported() }
