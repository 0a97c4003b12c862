package pool

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes end the child with the thread that started it, and keep signals of
// the terminal from it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// slack is by how much the kernel may wake the threads of children late.
const slack = 500 * time.Microsecond

// relax lets the kernel wake the threads of children, which inherit it, a
// little late. The Go runtime of a process that has something to do wakes one
// of its threads every 20 µs to look after the others; that alone would cost as
// much as a short run.
func relax() {
	// A kernel that refuses has them woken in time.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0)
}

// resident is the memory of a process in bytes; 0 when it cannot be told.
func resident(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
