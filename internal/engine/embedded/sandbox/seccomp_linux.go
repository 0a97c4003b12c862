//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"runtime"
	"slices"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// allowed are the calls of a Go program that computes in memory and reads and
// writes what is open. Those of one architecture only are left out on others.
func allowed() []string {
	return []string{
		"read", "write",
		"futex", "sched_yield", "sched_getaffinity", "nanosleep", "clock_nanosleep", "restart_syscall",
		"munmap", "madvise", "mincore", "brk",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
		"epoll_wait", "epoll_pwait", "poll", "ppoll",
		"clock_gettime", "gettimeofday", "time", "getrandom",
		"getpid", "gettid", "exit", "exit_group",
		"rseq", "set_robust_list", // by threads that C code starts
	}
}

// conditional are calls that are allowed with some arguments: memory that is
// anonymous and never executable, threads but no processes, signals to the
// process itself.
func conditional() []seccomp.NameWithConditions {
	bits := func(argument uint32, op seccomp.Operation, value uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: op, Value: value}
	}
	return []seccomp.NameWithConditions{
		{Name: "mmap", Conditions: seccomp.ArgumentConditions{
			bits(2, seccomp.BitsNotSet, unix.PROT_EXEC),
			bits(3, seccomp.BitsSet, unix.MAP_ANONYMOUS),
		}},
		{Name: "mprotect", Conditions: seccomp.ArgumentConditions{bits(2, seccomp.BitsNotSet, unix.PROT_EXEC)}},
		{Name: "clone", Conditions: seccomp.ArgumentConditions{bits(0, seccomp.BitsSet, unix.CLONE_THREAD)}},
		{Name: "tgkill", Conditions: seccomp.ArgumentConditions{bits(0, seccomp.Equal, uint64(os.Getpid()))}},
	}
}

// filter makes every system call that is not listed fail with "operation not
// permitted", for all threads.
func filter() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	info, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(allowed(), func(name string) bool {
		_, known := info.SyscallNames[name]
		return !known
	})
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno,
			Syscalls: []seccomp.SyscallGroup{
				{Action: seccomp.ActionAllow, Names: names},
				{Action: seccomp.ActionAllow, NamesWithCondtions: conditional()},
				// C libraries start threads with clone when clone3 is unknown.
				{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			},
		},
	})
}
