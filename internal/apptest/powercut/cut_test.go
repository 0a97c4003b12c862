//go:build external && linux

package powercut

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// machine is a server whose data is on a disk of its own.
type machine struct {
	disk   *disk
	server *apptest.Process
	key    string
}

// newMachine starts a server on a new disk.
func newMachine(t testing.TB) *machine {
	t.Helper()
	m := &machine{disk: newDisk(t)}
	m.key = apptest.CreateKey(t, m.dataDir())
	m.start(t, apptest.Binary(t))
	return m
}

func (m *machine) dataDir() string { return filepath.Join(m.disk.folder, "data") }

// start starts a build of flowwd on the disk.
func (m *machine) start(t testing.TB, binary string) {
	t.Helper()
	m.server = apptest.StartBinary(t, binary, m.dataDir())
	m.server.Key = m.key
}

// cutPower stops the server as it is, keeps what the disk holds at that
// instant, throws everything else away, and mounts what was kept. What the
// server had answered by then counts, and it answers nothing afterwards.
func (m *machine) cutPower(t testing.TB, life *loadtest.Life) {
	t.Helper()
	life.Ending()
	stop(t, m.server.Command.Process.Pid)
	kept := m.disk.copied(t)
	m.server.Kill(t)
	life.Stop()
	m.disk.remove(t)
	m.disk = kept
	m.disk.mount(t)
}

// stop stops all threads of a process. One that waits for the disk stops when
// the disk has answered.
func stop(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatalf("stop the server: %v", err)
	}
	apptest.Until(t, 30*time.Second, "all threads of the server to stop", func() bool {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(stats) == 0 {
			t.Fatalf("the server has no threads: %v", err)
		}
		for _, path := range stats {
			text, err := os.ReadFile(path)
			if err != nil {
				continue // this thread has ended
			}
			// The state stands behind the name, which is in brackets.
			state := bytes.TrimSpace(text[bytes.LastIndexByte(text, ')')+1:])
			if len(state) == 0 || state[0] != 'T' {
				return false
			}
		}
		return true
	})
}

// doctor fails the test when `flowwd doctor` has anything to say.
func (m *machine) doctor(t testing.TB) {
	t.Helper()
	out, err := exec.Command(apptest.Binary(t), "doctor", "--data-dir", m.dataDir()).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("flowwd doctor is not silent after the power came back (%v): %s", err, out)
	}
}
