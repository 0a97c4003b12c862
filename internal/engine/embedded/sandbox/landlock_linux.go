//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// restrict denies everything that the kernel's Landlock can deny, up to a level,
// and returns the level used.
func restrict(highest int) (int, error) {
	level, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0, err
	}
	known := []landlock.Config{
		landlock.V1, landlock.V2, landlock.V3, landlock.V4, landlock.V5, landlock.V6,
		landlock.V7, landlock.V8, landlock.V9, landlock.V10, landlock.V11,
	}
	level = min(level, len(known))
	if highest > 0 {
		level = min(level, highest)
	}
	if level < 1 {
		return 0, errors.New("the kernel has none")
	}
	return level, known[level-1].Restrict()
}
