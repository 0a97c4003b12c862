package walindex_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/usefloww/flowwd/internal/store/walindex"
)

// newDatabase makes a database with a log and a table counter of one row, which
// nobody has open.
func newDatabase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("PRAGMA journal_mode = wal; CREATE TABLE counter (n INTEGER NOT NULL); INSERT INTO counter VALUES (0)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens a database in this process until the test ends, or done is called.
func open(t *testing.T, path string) (db *sql.DB, done func()) {
	t.Helper()
	release, err := walindex.Attach(path)
	if err != nil {
		t.Fatal(err)
	}
	if db, err = sql.Open("sqlite", "file:"+path+"?mode=rw&_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	ended := false
	done = func() {
		if ended {
			return
		}
		ended = true
		if err := errors.Join(db.Close(), release()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(done)
	return db, done
}

func counted(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT n FROM counter").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// index is the file of a database's index.
func index(t *testing.T, path string) string {
	t.Helper()
	target, err := os.Readlink(path + "-shm")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestIndexIsInMemory(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	db, done := open(t, path)
	if n := counted(t, db); n != 0 {
		t.Fatalf("a new counter is %d", n)
	}
	mapped, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	if target := index(t, path); !bytes.Contains(mapped, []byte(" "+target+"\n")) {
		t.Errorf("%s is not mapped", target)
	}
	if bytes.Contains(mapped, []byte(path+"-shm")) {
		t.Error("a file beside the database is mapped")
	}
	target := index(t, path)
	done()
	for _, gone := range []string{target, path + "-shm", path + "-wal"} {
		if _, err := os.Lstat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left when nobody has the database open: %v", gone, err)
		}
	}
}

// Processes see what the others write, whoever came first and is still there.
func TestProcessesShareAnIndex(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	first := attached(t, path)
	first.increment()
	db, done := open(t, path)
	if n := counted(t, db); n != 1 {
		t.Errorf("the counter is %d, want 1", n)
	}
	target := index(t, path)
	if _, err := db.Exec(increment); err != nil {
		t.Fatal(err)
	}
	first.kill()
	last := attached(t, path)
	last.increment()
	if n := counted(t, db); n != 3 {
		t.Errorf("the counter is %d, want 3", n)
	}
	if now := index(t, path); now != target {
		t.Errorf("the index moved from %s to %s", target, now)
	}
	done()
	last.increment() // others have closed the database
	last.end()
}

// What a killed process leaves is cleared away by those that come after it, for
// other databases too.
func TestKilledProcessesLeaveNothing(t *testing.T) {
	t.Parallel()
	path, another := newDatabase(t), newDatabase(t)
	living := attached(t, newDatabase(t))
	used := index(t, living.command.Args[2])
	killed := attached(t, path)
	killed.increment()
	left := index(t, path)
	killed.kill()
	if _, err := os.Stat(left); err != nil {
		t.Fatal(err)
	}
	open(t, another)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", left, err)
	}
	if _, err := os.Stat(used); err != nil {
		t.Errorf("an index in use: %v", err)
	}
	living.end()
	db, _ := open(t, path)
	if n := counted(t, db); n != 1 {
		t.Errorf("the counter is %d after a kill, want 1", n)
	}
}

// Programs that know nothing of the index in memory don't share a database with
// those that do, for they would damage it.
func TestOtherProgramsAreKeptOut(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	_, done := open(t, path)
	if _, said := begin(t, path, "plain"); !strings.Contains(said, "unable to open database file") {
		// Nothing is written before the index is needed.
		t.Errorf("another program opens the database: %s", said)
	}
	done()
	plain, said := begin(t, path, "plain")
	if said != "ok" {
		t.Fatalf("another program can't open a database that nobody has open: %s", said)
	}
	if _, err := walindex.Attach(path); err == nil || !strings.Contains(err.Error(), "another program has the database open") {
		t.Errorf("a database that another program has open: %v", err)
	}
	plain.kill()
	db, _ := open(t, path)
	if n := counted(t, db); n != 0 {
		t.Errorf("the counter is %d", n)
	}
}

// A process whose memory is elsewhere, as in another container, has an index that
// this one can't see.
func TestUnreachableIndexIsRefused(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	o := attached(t, path)
	if err := os.Remove(index(t, path)); err != nil { // as if it were not there
		t.Fatal(err)
	}
	if _, err := walindex.Attach(path); err == nil || !strings.Contains(err.Error(), "can't be reached from here") {
		t.Errorf("an index that can't be reached: %v", err)
	}
	o.increment()
	o.end()
	db, _ := open(t, path)
	if n := counted(t, db); n != 1 {
		t.Errorf("the counter is %d, want 1", n)
	}
}

// A database is the same by whatever path it is opened.
func TestLinkedFolder(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(path), link); err != nil {
		t.Fatal(err)
	}
	through := filepath.Join(link, filepath.Base(path))
	a, _ := open(t, through)
	b, _ := open(t, path)
	for _, db := range []*sql.DB{a, b} {
		if _, err := db.Exec(increment); err != nil {
			t.Fatal(err)
		}
	}
	if n := counted(t, a); n != 2 {
		t.Errorf("the counter is %d, want 2", n)
	}
	attached(t, through).end()
}

// A link that leads anywhere else, as in a folder that somebody else packed, is not
// followed.
func TestForeignLinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path+"-shm"); err != nil {
		t.Fatal(err)
	}
	o := attached(t, path)
	o.increment()
	if err := os.Remove(path + "-shm"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path+"-shm"); err != nil { // while it is open
		t.Fatal(err)
	}
	if other, said := begin(t, path, "attached"); !strings.Contains(said, "unable to open database file") {
		t.Errorf("a database whose index is elsewhere: %s", said)
		other.end()
	}
	o.increment()
	o.end()
	if text, err := os.ReadFile(elsewhere); string(text) != "theirs" || err != nil {
		t.Errorf("where the link leads is now %.20q, %v", text, err)
	}
}

// Without the right to write beside a database the index stays beside it.
func TestFolderThatMayNotBeWritten(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	folder := filepath.Dir(path)
	// The program itself lies where others may not look.
	program := filepath.Join(t.TempDir(), "program")
	if err := os.Link(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, processWord, path, "attached")
	if os.Geteuid() == 0 {
		// An administrator may write everywhere.
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		for _, passed := range []string{filepath.Dir(folder), filepath.Dir(program)} {
			if err := os.Chmod(passed, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o755) })
	out, err := command.Output()
	if err == nil || !strings.Contains(string(out), "readonly database") {
		t.Errorf("a folder that may not be written: %v: %s", err, out)
	}
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) != 1 {
		t.Errorf("in the folder are %v (%v)", names, err)
	}
}

// Processes that come, go and are killed at any time lose nothing that one of them
// was told is written, and damage nothing.
func TestProcessesThatComeAndGo(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	var written, unsure atomic.Int64
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 15 {
				o, said := begin(t, path, "attached")
				for range random.IntN(4) {
					if said == "ok" {
						if said = o.run(increment); said == "ok" {
							written.Add(1)
						}
					}
				}
				if said != "ok" {
					t.Errorf("a process: %s", said)
				}
				if random.IntN(2) == 0 {
					o.end()
					continue
				}
				unsure.Add(1)
				_, _ = io.WriteString(o.in, increment+"\n")
				o.kill()
			}
		})
	}
	all.Wait()
	db, _ := open(t, path)
	n := int64(counted(t, db))
	if n < written.Load() || n > written.Load()+unsure.Load() {
		t.Errorf("the counter is %d after %d increments and %d that may be", n, written.Load(), unsure.Load())
	}
	var damage string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&damage); err != nil || damage != "ok" {
		t.Errorf("damage: %s (%v)", damage, err)
	}
}
