//go:build linux && (amd64 || arm64)

package sandbox_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/engine/embedded/sandbox"
)

// prepare starts the runtime's poller, as Enter asks for.
func prepare() {
	runtime.GOMAXPROCS(2)
	time.AfterFunc(time.Hour, func() {}).Stop()
}

// tasks are what a process inside can be told to do.
func tasks() map[string]func(task, sandbox.Status) any {
	return map[string]func(task, sandbox.Status) any{
		"escape":   func(task, sandbox.Status) any { return tryEscapes() },
		"compute":  func(task, sandbox.Status) any { return compute() },
		"allocate": func(task, sandbox.Status) any { return allocate() },
		"files":    func(task, sandbox.Status) any { return readAll() },
		"landlock": func(t task, _ sandbox.Status) any { return tryLandlock(t) },
		"status":   func(_ task, s sandbox.Status) any { return s },
	}
}

// escape is a system call with its arguments.
type escape struct {
	call uintptr
	args [6]uintptr
}

func path(text string) uintptr {
	p, err := syscall.BytePtrFromString(text)
	if err != nil {
		panic(err)
	}
	return uintptr(unsafe.Pointer(p))
}

// escapes are the calls that lead out.
func escapes() map[string]escape {
	here := ^uintptr(99) // AT_FDCWD
	parent, self := uintptr(syscall.Getppid()), uintptr(syscall.Getpid())
	e := map[string]escape{
		"socket ip":           {unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_STREAM}},
		"socket udp":          {unix.SYS_SOCKET, [6]uintptr{unix.AF_INET6, unix.SOCK_DGRAM}},
		"socket mptcp":        {unix.SYS_SOCKET, [6]uintptr{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}},
		"socket unix":         {unix.SYS_SOCKET, [6]uintptr{unix.AF_UNIX, unix.SOCK_STREAM}},
		"socket netlink":      {unix.SYS_SOCKET, [6]uintptr{unix.AF_NETLINK, unix.SOCK_RAW}},
		"socketpair":          {unix.SYS_SOCKETPAIR, [6]uintptr{unix.AF_UNIX, unix.SOCK_STREAM}},
		"connect":             {unix.SYS_CONNECT, [6]uintptr{0}},
		"bind":                {unix.SYS_BIND, [6]uintptr{0}},
		"sendto":              {unix.SYS_SENDTO, [6]uintptr{0}},
		"sendmsg":             {unix.SYS_SENDMSG, [6]uintptr{0}},
		"recvmsg":             {unix.SYS_RECVMSG, [6]uintptr{0}},
		"openat":              {unix.SYS_OPENAT, [6]uintptr{here, path("/etc/hostname")}},
		"openat write":        {unix.SYS_OPENAT, [6]uintptr{here, path("/tmp/x"), unix.O_CREAT | unix.O_WRONLY, 0o600}},
		"openat environ":      {unix.SYS_OPENAT, [6]uintptr{here, path("/proc/self/environ")}},
		"openat parent":       {unix.SYS_OPENAT, [6]uintptr{here, path(fmt.Sprintf("/proc/%d/environ", parent))}},
		"openat mem":          {unix.SYS_OPENAT, [6]uintptr{here, path("/proc/self/mem"), unix.O_RDWR}},
		"openat null":         {unix.SYS_OPENAT, [6]uintptr{here, path("/dev/null")}},
		"openat2":             {unix.SYS_OPENAT2, [6]uintptr{here, path("/etc/hostname")}},
		"open by handle":      {unix.SYS_OPEN_BY_HANDLE_AT, [6]uintptr{here}},
		"stat":                {unix.SYS_STATX, [6]uintptr{here, path("/")}},
		"readlink":            {unix.SYS_READLINKAT, [6]uintptr{here, path("/proc/self/exe")}},
		"mkdir":               {unix.SYS_MKDIRAT, [6]uintptr{here, path("/tmp/x")}},
		"unlink":              {unix.SYS_UNLINKAT, [6]uintptr{here, path("/tmp/x")}},
		"chmod":               {unix.SYS_FCHMODAT, [6]uintptr{here, path("/tmp/x")}},
		"execve":              {unix.SYS_EXECVE, [6]uintptr{path("/proc/self/exe")}},
		"execveat":            {unix.SYS_EXECVEAT, [6]uintptr{here, path("/proc/self/exe")}},
		"fork":                {unix.SYS_CLONE, [6]uintptr{uintptr(unix.SIGCHLD)}},
		"vfork":               {unix.SYS_CLONE, [6]uintptr{unix.CLONE_VM | unix.CLONE_VFORK | uintptr(unix.SIGCHLD)}},
		"kill parent":         {unix.SYS_KILL, [6]uintptr{parent, 0}},
		"kill self":           {unix.SYS_KILL, [6]uintptr{self, 0}},
		"kill all":            {unix.SYS_KILL, [6]uintptr{^uintptr(0), 0}},
		"tkill parent":        {unix.SYS_TKILL, [6]uintptr{parent, 0}},
		"tgkill parent":       {unix.SYS_TGKILL, [6]uintptr{parent, parent, 0}},
		"signal by pidfd":     {unix.SYS_PIDFD_SEND_SIGNAL, [6]uintptr{0}},
		"pidfd":               {unix.SYS_PIDFD_OPEN, [6]uintptr{parent}},
		"pidfd getfd":         {unix.SYS_PIDFD_GETFD, [6]uintptr{0}},
		"ptrace":              {unix.SYS_PTRACE, [6]uintptr{unix.PTRACE_ATTACH, parent}},
		"read another's":      {unix.SYS_PROCESS_VM_READV, [6]uintptr{parent}},
		"write another's":     {unix.SYS_PROCESS_VM_WRITEV, [6]uintptr{parent}},
		"io_uring":            {unix.SYS_IO_URING_SETUP, [6]uintptr{1}},
		"bpf":                 {unix.SYS_BPF, [6]uintptr{0}},
		"mount":               {unix.SYS_MOUNT, [6]uintptr{0}},
		"pivot root":          {unix.SYS_PIVOT_ROOT, [6]uintptr{0}},
		"chroot":              {unix.SYS_CHROOT, [6]uintptr{path("/")}},
		"chdir":               {unix.SYS_CHDIR, [6]uintptr{path("/")}},
		"unshare":             {unix.SYS_UNSHARE, [6]uintptr{unix.CLONE_NEWUSER}},
		"setns":               {unix.SYS_SETNS, [6]uintptr{0}},
		"memfd":               {unix.SYS_MEMFD_CREATE, [6]uintptr{path("x")}},
		"pipe":                {unix.SYS_PIPE2, [6]uintptr{0}},
		"dup":                 {unix.SYS_DUP, [6]uintptr{0}},
		"eventfd":             {unix.SYS_EVENTFD2, [6]uintptr{0}},
		"epoll":               {unix.SYS_EPOLL_CREATE1, [6]uintptr{0}},
		"inotify":             {unix.SYS_INOTIFY_INIT1, [6]uintptr{0}},
		"userfaultfd":         {unix.SYS_USERFAULTFD, [6]uintptr{0}},
		"perf":                {unix.SYS_PERF_EVENT_OPEN, [6]uintptr{0}},
		"ioctl":               {unix.SYS_IOCTL, [6]uintptr{0}},
		"fcntl":               {unix.SYS_FCNTL, [6]uintptr{0}},
		"prctl":               {unix.SYS_PRCTL, [6]uintptr{unix.PR_SET_DUMPABLE, 1}},
		"raise limits":        {unix.SYS_PRLIMIT64, [6]uintptr{0, unix.RLIMIT_DATA}},
		"limits of another":   {unix.SYS_PRLIMIT64, [6]uintptr{parent, unix.RLIMIT_NOFILE}},
		"setuid":              {unix.SYS_SETUID, [6]uintptr{0}},
		"capabilities":        {unix.SYS_CAPSET, [6]uintptr{0}},
		"keys":                {unix.SYS_KEYCTL, [6]uintptr{0}},
		"shared memory":       {unix.SYS_SHMGET, [6]uintptr{0, 4096, unix.IPC_CREAT}},
		"message queue":       {unix.SYS_MSGGET, [6]uintptr{0, unix.IPC_CREAT}},
		"personality":         {unix.SYS_PERSONALITY, [6]uintptr{0}},
		"module":              {unix.SYS_INIT_MODULE, [6]uintptr{0}},
		"kexec":               {unix.SYS_KEXEC_LOAD, [6]uintptr{0}},
		"reboot":              {unix.SYS_REBOOT, [6]uintptr{0}},
		"set the clock":       {unix.SYS_CLOCK_SETTIME, [6]uintptr{0}},
		"name":                {unix.SYS_SETHOSTNAME, [6]uintptr{0}},
		"another filter":      {unix.SYS_SECCOMP, [6]uintptr{1}},
		"timers by signal":    {unix.SYS_TIMER_CREATE, [6]uintptr{0}},
		"priorities":          {unix.SYS_SETPRIORITY, [6]uintptr{0}},
		"memory of another":   {unix.SYS_PROCESS_MADVISE, [6]uintptr{0}},
		"executable memory":   {unix.SYS_MMAP, [6]uintptr{0, 4096, unix.PROT_READ | unix.PROT_EXEC, unix.MAP_ANONYMOUS | unix.MAP_PRIVATE}},
		"map a file":          {unix.SYS_MMAP, [6]uintptr{0, 4096, unix.PROT_READ, unix.MAP_PRIVATE, 0}},
		"executable later":    {unix.SYS_MPROTECT, [6]uintptr{0, 4096, unix.PROT_READ | unix.PROT_EXEC}},
		"executable by key":   {unix.SYS_PKEY_MPROTECT, [6]uintptr{0, 4096, unix.PROT_READ | unix.PROT_EXEC}},
		"an unknown call":     {1000, [6]uintptr{}},
		"descriptors by spl.": {unix.SYS_SPLICE, [6]uintptr{0}},
	}
	for name, more := range archEscapes() {
		e[name] = more
	}
	return e
}

// tryEscapes makes the calls and tells how each ended.
func tryEscapes() map[string]string {
	self := uintptr(syscall.Getpid())
	results := map[string]string{}
	for name, e := range escapes() {
		a := e.args
		_, _, errno := syscall.RawSyscall6(e.call, a[0], a[1], a[2], a[3], a[4], a[5])
		if now, _, _ := syscall.RawSyscall(unix.SYS_GETPID, 0, 0, 0); now != self {
			// A fork got out and this is its child.
			syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
		}
		if errno == 0 {
			results[name] = "it succeeded"
		} else {
			results[name] = errno.Error()
		}
	}
	return results
}

func compute() string {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			runtime.LockOSThread() // a thread of its own
			for range 100 {
				_ = make([]byte, 1<<20)
			}
			time.Sleep(time.Millisecond)
		})
	}
	var stop atomic.Bool
	go func() {
		for !stop.Load() { // only preemption takes the processor from it
		}
	}()
	group.Wait()
	runtime.GC()
	debug.FreeOSMemory()
	stop.Store(true)
	return "fine"
}

func allocate() int {
	var all [][]byte
	for range 2048 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
	return len(all)
}

// readAll reads nothing from each descriptor above the standard ones.
func readAll() map[int]string {
	results := map[int]string{}
	for fd := 3; fd < 64; fd++ {
		if _, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), 0, 0); errno != 0 {
			results[fd] = errno.Error()
		} else {
			results[fd] = "it can be read"
		}
	}
	return results
}
