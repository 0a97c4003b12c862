//go:build external && linux

package powercut

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/pgtest"
)

// database is what a machine keeps its data in.
type database interface {
	// begin makes the database on a new disk. Whatever it wrote by then may not
	// be on the disk yet.
	begin(t testing.TB, disk string)
	// again starts it on a disk that has it.
	again(t testing.TB, disk string)
	// url is its address; empty for the file in the data folder.
	url() string
	// processes are those that the power is cut for, beside the server, with
	// those that make others first.
	processes(t testing.TB) []int
}

// sqlite is the file in the data folder.
type sqlite struct{}

func (sqlite) begin(testing.TB, string)   {}
func (sqlite) again(testing.TB, string)   {}
func (sqlite) url() string                { return "" }
func (sqlite) processes(testing.TB) []int { return nil }

// postgres is a PostgreSQL server on the same disk.
type postgres struct {
	server  *pgtest.Server
	folder  string // from the disk's root
	address string
}

func (p *postgres) url() string { return p.address }

func (p *postgres) begin(t testing.TB, disk string) {
	t.Helper()
	server, err := pgtest.New(pgtest.Options{Parent: disk})
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	p.endWith(t)
	p.address = apptest.NewDatabase(t, server)
	if p.folder, err = filepath.Rel(disk, server.Data); err != nil {
		t.Fatal(err)
	}
}

func (p *postgres) again(t testing.TB, disk string) {
	t.Helper()
	// The one on the old disk was killed; this waits for it to be gone.
	if err := p.server.Crash(); err != nil {
		t.Fatal(err)
	}
	p.server.Data = filepath.Join(disk, p.folder)
	if err := p.server.Run(); err != nil {
		t.Fatalf("PostgreSQL does not start on what the disk kept: %v", err)
	}
	p.endWith(t)
}

// endWith ends the server before the disk that it runs on is taken away.
func (p *postgres) endWith(t testing.TB) {
	t.Cleanup(func() {
		if err := p.server.Crash(); err != nil {
			t.Error(err)
		}
	})
}

// desync restarts the server without its syncing.
func (p *postgres) desync(t testing.TB) {
	t.Helper()
	settings, err := os.OpenFile(filepath.Join(p.server.Data, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = settings.WriteString("fsync = off\n")
	}
	if err = errors.Join(err, settings.Close(), p.server.Stop()); err == nil {
		err = p.server.Run()
	}
	if err != nil {
		t.Fatalf("restart PostgreSQL without syncing: %v", err)
	}
}

func (p *postgres) processes(t testing.TB) []int {
	t.Helper()
	first := p.server.Process().Pid
	return append([]int{first}, childrenOf(t, first)...)
}

// childrenOf returns the processes whose parent is another one.
func childrenOf(t testing.TB, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if state := stateOf(text); err == nil && len(state) > 1 && state[1] == strconv.Itoa(parent) {
			found = append(found, pid)
		}
	}
	return found
}

// stateOf returns what a line of stat has behind the process's name, which is in
// brackets: its state, its parent, and more.
func stateOf(stat []byte) []string {
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}
