//go:build unix

package pool

import (
	"slices"
	"syscall"
)

// exit says how the process ended, once it has.
func (c *Child) exit() Exit {
	e := Exit{Stderr: c.stderr.String()}
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return e
	}
	// The sandbox lets a child signal nobody but itself, and the Go runtime
	// ends itself by none of these.
	outside := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
	e.Signal = status.Signal().String()
	e.Outside = slices.Contains(outside, status.Signal()) && c.Killed() == ""
	return e
}
