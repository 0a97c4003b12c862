//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/elastic/go-seccomp-bpf"
	landlock "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Supported returns nil when the kernel can give what Enter asks for; otherwise
// the error says what is missing and what to do.
func Supported() error {
	var problems []error
	if level, err := landlock.LandlockGetABIVersion(); err != nil || level < 1 {
		problems = append(problems, fmt.Errorf(
			"the kernel (%s) offers no Landlock: Linux 5.13 or newer is needed, with landlock among its security modules (see /sys/kernel/security/lsm, boot option lsm=)", release()))
	}
	if !seccomp.Supported() {
		problems = append(problems, fmt.Errorf(
			"the kernel (%s) offers no seccomp filters: it must be built with CONFIG_SECCOMP_FILTER, and a container must not forbid the call", release()))
	}
	return errors.Join(problems...)
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "of unknown version"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// Enter puts the calling process into the sandbox, all its threads. It cannot
// be left. After an error the process may be half inside and should end.
//
// The Go runtime must have everything it needs by then: its poller and, when it
// is bound by a control group, its number of processors.
func Enter(o Options) (Status, error) {
	if err := closeInherited(); err != nil {
		return Status{}, fmt.Errorf("close inherited files: %w", err)
	}
	if err := setLimits(o.Data); err != nil {
		return Status{}, fmt.Errorf("set resource limits: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return Status{}, fmt.Errorf("forbid core dumps and tracing: %w", err)
	}
	level, err := restrict(o.MaxLandlock)
	if err != nil {
		return Status{}, fmt.Errorf("enter Landlock: %w", err)
	}
	if err := filter(); err != nil {
		return Status{}, fmt.Errorf("filter system calls: %w", err)
	}
	return Status{Landlock: level}, nil
}

// closeInherited closes all files above the three standard ones but those that
// the Go runtime opened to wait for events. What came through exec has no
// close-on-exec flag; the runtime's have it.
func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil {
			continue // the folder's own, closed by now
		}
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if flags&unix.FD_CLOEXEC != 0 && strings.HasPrefix(target, "anon_inode:") {
			continue
		}
		if err := unix.Close(fd); err != nil && !errors.Is(err, unix.EBADF) {
			return err
		}
	}
	return nil
}

// setLimits bounds what the process may use: memory, no core file, no growth of
// files, no more descriptors.
func setLimits(data uint64) error {
	limits := map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 0, unix.RLIMIT_NOFILE: 16}
	if data > 0 && !instrumented {
		limits[unix.RLIMIT_DATA] = data
	}
	for resource, n := range limits {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("limit %d to %d: %w", resource, n, err)
		}
	}
	return nil
}
