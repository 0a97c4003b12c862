package walindex

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/filelock"
)

// Where indexes are, and what their names begin with.
const (
	memory = "/dev/shm"
	prefix = "flowwd-wal-index-"
)

const (
	// poll is how often something that another process holds is tried again.
	poll = 20 * time.Millisecond
	// tries is how often an index is looked for that another process should have
	// made: for 5 seconds.
	tries = 250
)

// The names of the files beside a database.
const (
	// opened is locked by each process that has the database open: shared while it
	// has, exclusively while it makes the index.
	opened = ".open"
	// plain is where SQLite has the index. A link from there to the file in memory
	// tells other processes where that is, and has SQLite refuse the database in
	// programs that know nothing of it: it follows no link there.
	plain = "-shm"
)

// How files are opened that are locked: those in memory are made by make alone.
const (
	beside   = os.O_RDWR | os.O_CREATE | unix.O_NOFOLLOW
	inMemory = os.O_RDWR | unix.O_NOFOLLOW
)

// attached are the databases that this process has open, by their paths.
var attached = struct {
	sync.Mutex
	of map[string]*index
}{of: map[string]*index{}}

// index is the index of one database, for all connections of this process.
type index struct {
	database string
	uses     int
	// share is the lock that says that this process has the database open.
	share *os.File
	// target is the file in memory, locked so that nobody clears it away; nil where
	// the index is beside the database.
	target *os.File
}

// Attach has SQLite keep the index of a database in memory, in this process, until
// the release that it returns is called. It has to be called before a connection
// to the database is opened, and the release after all are closed. Where there is
// no memory for it, or no right to write beside the database, the index stays
// where SQLite puts it.
func Attach(database string) (release func() error, err error) {
	nothing := func() error { return nil }
	// SQLite names the file as the database is named when all links are followed.
	path, err := filepath.EvalSymlinks(database)
	if errors.Is(err, fs.ErrNotExist) {
		return nothing, nil // nobody has it open
	} else if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	attached.Lock()
	defer attached.Unlock()
	x := attached.of[path]
	if x == nil {
		x = &index{database: path}
		if err := x.attach(); forbidden(err, path+opened) {
			return nothing, nil
		} else if err != nil {
			return nil, fmt.Errorf("share %s with other processes: %w", path, err)
		}
		attached.of[path] = x
	}
	x.uses++
	return sync.OnceValue(x.release), nil
}

// forbidden reports whether an error is that a file may not be opened for writing.
// Where others keep their index in memory, SQLite then refuses the database.
func forbidden(err error, path string) bool {
	at, ok := errors.AsType[*fs.PathError](err)
	return ok && at.Path == path && (errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS))
}

func (x *index) release() error {
	attached.Lock()
	defer attached.Unlock()
	if x.uses--; x.uses > 0 {
		return nil
	}
	delete(attached.of, x.database)
	redirects.Delete(x.database + plain)
	return errors.Join(x.detach(), x.clear())
}

// attach makes the index if no other process has, and finds it.
func (x *index) attach() error {
	for range tries {
		if err := x.renew(); err != nil {
			return err
		}
		if found, err := x.join(); found || err != nil {
			return err
		}
		time.Sleep(poll)
	}
	return fmt.Errorf("another process has the database open, and its memory (%s) can't be reached from here: run this where that process runs, in the same container for instance", x.link())
}

// renew makes the index anew if no process has the database open.
func (x *index) renew() error {
	lock, err := filelock.Try(x.database+opened, beside, filelock.Exclusive)
	if err != nil || lock == nil {
		return err
	}
	defer filelock.Unlock(lock) //nolint:errcheck // nothing was written to it
	if err := x.unused(); err != nil {
		return err
	}
	return x.make()
}

// unused removes the index that nobody uses any more. A program that knows nothing
// of this package may use one beside the database.
func (x *index) unused() error {
	path := x.database + plain
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		if used, err := mapped(path); err != nil {
			return err
		} else if used {
			return errors.New("another program has the database open: stop it (an older flowwd, or sqlite3) and try again")
		}
	}
	return os.Remove(path)
}

// mapped reports whether SQLite uses an index: it locks a byte of it as long as it
// does (UNIX_SHM_DMS in its os_unix.c, 8 bytes after WALINDEX_LOCK_OFFSET, which
// https://sqlite.org/walformat.html has).
func mapped(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false, err
	}
	defer f.Close() //nolint:errcheck // nothing was written to it
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: 128, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil {
		return false, fmt.Errorf("look who has %s open: %w", path, err)
	}
	return lock.Type != unix.F_UNLCK, nil
}

// make makes a file in memory and the link to it. Where it can't, the index is
// going to be beside the database.
func (x *index) make() error {
	var fs unix.Statfs_t
	if err := unix.Statfs(memory, &fs); err != nil || fs.Type != unix.TMPFS_MAGIC {
		return nil
	}
	sweep()
	f, err := os.CreateTemp(memory, prefix+"*") // for its owner alone
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // nothing was written to it
	x.give(f)
	if err := os.Symlink(f.Name(), x.database+plain); err != nil {
		return errors.Join(os.Remove(f.Name()), x.unused())
	}
	return nil
}

// give hands a file to the owner of the database, who could not open it later when
// an administrator opened the database first. As with SQLite's own files it does no
// harm here where that is not allowed, and the owner is told when it is so far.
func (x *index) give(f *os.File) {
	var database unix.Stat_t
	if os.Geteuid() == 0 && unix.Stat(x.database, &database) == nil {
		_ = f.Chown(int(database.Uid), int(database.Gid))
	}
}

// join finds the index that a process has made. It reports false when it is to be
// made anew.
func (x *index) join() (found bool, err error) {
	share, err := filelock.Try(x.database+opened, beside, filelock.Shared)
	if err != nil || share == nil {
		return false, err
	}
	defer func() {
		if !found {
			err = errors.Join(err, filelock.Unlock(share))
		}
	}()
	x.give(share)
	target := x.link()
	if target == "" {
		x.share = share
		return true, nil
	}
	x.target, err = use(target)
	if x.target == nil || err != nil {
		return false, err
	}
	if err := redirect(x.database+plain, target); err != nil {
		return false, errors.Join(err, filelock.Unlock(x.target))
	}
	x.share = share
	return true, nil
}

// link is where the index is, "" if beside the database. A link that leads anywhere
// else than into memory is none of ours, and SQLite will refuse it.
func (x *index) link() string {
	target, err := os.Readlink(x.database + plain)
	if err != nil || filepath.Dir(target) != memory || !strings.HasPrefix(filepath.Base(target), prefix) {
		return ""
	}
	return target
}

// use opens a file in memory so that nobody clears it away. It returns nil when
// somebody has.
func use(target string) (*os.File, error) {
	f, err := filelock.Try(target, inMemory, filelock.Shared)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil || f == nil {
		return nil, err
	}
	var info unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &info); err != nil || info.Nlink == 0 {
		return nil, errors.Join(err, filelock.Unlock(f))
	}
	return f, nil
}

func (x *index) detach() error {
	err := filelock.Unlock(x.share)
	if x.target != nil {
		err = errors.Join(err, filelock.Unlock(x.target))
	}
	return err
}

// clear removes the link, and what it leads to, if no process is left that uses
// it. Where another is about to, it does so itself.
func (x *index) clear() error {
	lock, err := filelock.Try(x.database+opened, beside, filelock.Exclusive)
	if err != nil || lock == nil {
		return nil // the folder may be gone
	}
	if x.link() != "" {
		sweep()
		err = os.Remove(x.database + plain)
	}
	return errors.Join(err, filelock.Unlock(lock))
}

// sweep removes the files in memory that nobody uses, those of killed processes
// among them.
func sweep() {
	names, err := filepath.Glob(filepath.Join(memory, prefix+"*"))
	if err != nil {
		return
	}
	for _, name := range names {
		if ours(name) {
			continue
		}
		if f, err := filelock.Try(name, inMemory, filelock.Exclusive); err == nil && f != nil {
			_ = os.Remove(name)
			_ = filelock.Unlock(f)
		}
	}
}

// ours reports whether a database that this process has open has its index in a
// file. Opening and closing that file once more would release the locks that
// SQLite holds on it: those of fcntl belong to the process.
func ours(name string) bool {
	for _, x := range attached.of {
		if x.target != nil && x.target.Name() == name {
			return true
		}
	}
	return false
}
