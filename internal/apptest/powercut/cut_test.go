//go:build external && linux

package powercut

import (
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

// machine is a server whose data is on a disk of its own, together with its
// database.
type machine struct {
	disk     *disk
	database database
	server   *apptest.Process
	key      string
}

// newMachine starts a server on a new disk. What it has by then is on the disk.
func newMachine(t testing.TB, db database) *machine {
	t.Helper()
	m := &machine{disk: newDisk(t), database: db}
	db.begin(t, m.disk.folder)
	apptest.Bind(m.dataDir(), db.url())
	m.key = apptest.CreateKey(t, m.dataDir())
	m.start(t, apptest.Binary(t))
	run(t, "sync", "--file-system", m.disk.folder)
	return m
}

func (m *machine) dataDir() string { return filepath.Join(m.disk.folder, "data") }

// start starts a build of flowwd on the disk.
func (m *machine) start(t testing.TB, binary string) {
	t.Helper()
	m.server = apptest.StartBinary(t, binary, m.dataDir())
	m.server.Key = m.key
}

// cutPower stops the server and its database as they are, keeps what the disk
// holds at that instant, throws everything else away, and mounts what was kept.
// What the server had answered by then counts, and it answers nothing
// afterwards.
func (m *machine) cutPower(t testing.TB, life *loadtest.Life) {
	t.Helper()
	life.Ending()
	stop(t, m.server.Command.Process.Pid)
	others := m.database.processes(t)
	for i := 0; i < len(others); i++ {
		stop(t, others[i])
		if i == 0 {
			others = m.database.processes(t) // no more come
		}
	}
	kept := m.disk.copied(t)
	m.server.Kill(t)
	for _, pid := range others {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it is stopped, so it is there
	}
	life.Stop()
	m.disk.remove(t)
	m.disk = kept
	m.disk.mount(t)
	m.database.again(t, m.disk.folder)
	apptest.Bind(m.dataDir(), m.database.url())
}

// stop stops all threads of a process. One that waits for the disk stops when
// the disk has answered.
func stop(t testing.TB, pid int) {
	t.Helper()
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return // it has ended
	}
	apptest.Until(t, 30*time.Second, fmt.Sprintf("all threads of process %d to stop", pid), func() bool {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range stats {
			text, err := os.ReadFile(path)
			if err != nil {
				continue // this thread has ended
			}
			if state := stateOf(text); len(state) == 0 || state[0] != "T" && state[0] != "Z" {
				return false
			}
		}
		return true
	})
}

// doctor fails the test when `flowwd doctor` has anything to say.
func (m *machine) doctor(t testing.TB) {
	t.Helper()
	c := exec.Command(apptest.Binary(t), "doctor", "--data-dir", m.dataDir())
	c.Env = append(os.Environ(), "DATABASE_URL="+m.database.url())
	out, err := c.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("flowwd doctor is not silent after the power came back (%v): %s", err, out)
	}
}
