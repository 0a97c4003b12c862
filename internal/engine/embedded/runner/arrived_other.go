//go:build !linux

package runner

import (
	"os"
	"time"
)

// arrived leaves waiting to the read that follows.
func arrived(*os.File, time.Duration) bool { return true }
