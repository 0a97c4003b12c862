package kill

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// killChildren kills every child process of a process.
func killChildren(t *testing.T, parent int) {
	t.Helper()
	killed := 0
	for _, pid := range children(t, parent) {
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("the server has no child to kill")
	}
}

// children returns the children of all threads of a process.
func children(t *testing.T, parent int) []int {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", parent))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, task := range tasks {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", parent, task.Name()))
		if err == nil {
			pids = append(pids, fields(text)...)
		}
	}
	return pids
}

func fields(text []byte) []int {
	var pids []int
	pid := 0
	for _, c := range append(text, ' ') {
		switch {
		case c >= '0' && c <= '9':
			pid = pid*10 + int(c-'0')
		case pid > 0:
			pids = append(pids, pid)
			pid = 0
		}
	}
	return pids
}
