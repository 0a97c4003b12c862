package runner

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arrived waits until there is something to read, or the end, but not for longer
// than d, which is short of the time after which the scheduler wants to know.
func arrived(pipe *os.File, d time.Duration) bool {
	fds := unix.PollFd{Fd: int32(pipe.Fd()), Events: unix.POLLIN}
	limit := unix.NsecToTimespec(d.Nanoseconds())
	n, _, failed := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	return n > 0 || failed != 0 && failed != unix.EINTR
}
