package filelock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/filelock"
)

const flags = os.O_RDWR | os.O_CREATE

func taken(t *testing.T, path string, kind filelock.Kind) *os.File {
	t.Helper()
	f, err := filelock.Try(path, flags, kind)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		held, wanted filelock.Kind
		got          bool
	}{
		{filelock.Exclusive, filelock.Exclusive, false},
		{filelock.Exclusive, filelock.Shared, false},
		{filelock.Shared, filelock.Exclusive, false},
		{filelock.Shared, filelock.Shared, true},
	} {
		path := filepath.Join(t.TempDir(), "lock")
		held := taken(t, path, c.held)
		if held == nil {
			t.Fatal("a lock that nobody holds is refused")
		}
		wanted := taken(t, path, c.wanted)
		if (wanted != nil) != c.got {
			t.Errorf("%d beside %d: got %t", c.wanted, c.held, wanted != nil)
		}
		if wanted != nil {
			if err := filelock.Unlock(wanted); err != nil {
				t.Error(err)
			}
		}
		if err := filelock.Unlock(held); err != nil {
			t.Error(err)
		}
		if taken(t, path, filelock.Exclusive) == nil {
			t.Errorf("%d is held when it was released", c.held)
		}
	}
}

// A lock is waited for until whoever waits gives up.
func TestWaiting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	held := taken(t, path, filelock.Exclusive)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := filelock.Lock(ctx, path, filelock.Shared); !errors.Is(err, context.Canceled) {
		t.Errorf("waited, and got %v", err)
	}
	got := make(chan error)
	go func() {
		f, err := filelock.Lock(t.Context(), path, filelock.Shared)
		if err == nil {
			err = filelock.Unlock(f)
		}
		got <- err
	}()
	if err := filelock.Unlock(held); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Errorf("the lock was released, and who waited got %v", err)
	}
}

// A process that is just being started has copies of all open files, and keeps no
// lock by them.
func TestLockEndsWhereACopyIsOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	f := taken(t, path, filelock.Exclusive)
	held, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(held) //nolint:errcheck // the test has ended
	if err := filelock.Unlock(f); err != nil {
		t.Fatal(err)
	}
	if taken(t, path, filelock.Exclusive) == nil {
		t.Error("it is still locked")
	}
}
