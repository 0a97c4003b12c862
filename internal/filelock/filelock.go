package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Kind says who else may have a lock: nobody, or any number that share it.
type Kind int

// The kinds of locks (flock(2)).
const (
	Exclusive Kind = unix.LOCK_EX
	Shared    Kind = unix.LOCK_SH
)

// poll is how often a lock that another process holds is tried again.
const poll = 20 * time.Millisecond

// Lock waits for the lock of a file, which it makes for its owner alone when it is
// absent, until ctx ends. Unlock releases it.
func Lock(ctx context.Context, path string, kind Kind) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if got, err := TryFile(f, kind); err != nil {
			return nil, errors.Join(err, f.Close())
		} else if got {
			return f, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, ctx.Err()), f.Close())
		}
	}
}

// Try is Lock without waiting, for a file that is opened with these flags of
// os.OpenFile. It returns nil when another process holds a lock that is against it.
func Try(path string, flags int, kind Kind) (*os.File, error) {
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	got, err := TryFile(f, kind)
	if err != nil || !got {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// TryFile locks an open file without waiting. It reports false when another process
// holds a lock that is against it.
func TryFile(f *os.File, kind Kind) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), int(kind)|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
}

// Unlock releases a lock and closes its file. A process that is just being started
// has the file open too, until it runs its own program, so that closing it here
// alone would not do.
func Unlock(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}
