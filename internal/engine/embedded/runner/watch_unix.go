//go:build unix

package runner

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exitWhenClosed ends the process as soon as nobody holds the other end of the
// pipe any more, whatever the process does at the time. It sleeps in the kernel
// until then.
func exitWhenClosed(pipe *os.File) {
	fds := []unix.PollFd{{Fd: int32(pipe.Fd())}}
	for {
		n, err := unix.Poll(fds, -1)
		if n > 0 {
			os.Exit(0)
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			os.Exit(1)
		}
	}
}
