package walindex

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAnotherDatabaseReleasesNoLock: a process that opens and closes a second
// database keeps the locks of fcntl that it has on the index of the first.
func TestAnotherDatabaseReleasesNoLock(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	for _, path := range []string{first, second} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	release, err := Attach(first)
	if err != nil {
		t.Fatal(err)
	}
	defer release() //nolint:errcheck // the test has ended
	target, err := os.Readlink(first + plain)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(target, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	held := unix.Flock_t{Type: unix.F_WRLCK, Start: 200, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &held); err != nil {
		t.Fatal(err)
	}
	other, err := Attach(second)
	if err != nil {
		t.Fatal(err)
	}
	if err := other(); err != nil {
		t.Fatal(err)
	}
	// A lock of an open file sees those of its own process.
	seen := unix.Flock_t{Type: unix.F_WRLCK, Start: 200, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Type != unix.F_WRLCK {
		t.Error("the lock is gone")
	}
}
