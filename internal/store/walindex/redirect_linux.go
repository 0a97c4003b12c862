package walindex

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// redirects has the path of a file that SQLite opens elsewhere, by its own path.
var redirects sync.Map

// The system calls that SQLite lets a program replace, with their signatures in C:
// https://sqlite.org/c3ref/vfs.html (xSetSystemCall), and aSyscall in its os_unix.c.
type (
	openFunc   func(tls *libc.TLS, path uintptr, flags, mode int32) int32
	unlinkFunc func(tls *libc.TLS, path uintptr) int32
)

// The calls as they were, and as they are now, which SQLite points to.
var (
	open, redirectedOpen     openFunc
	unlink, redirectedUnlink unlinkFunc
)

// redirect has SQLite open another file when it means to open path, and leave both
// in place when it means to remove path.
func redirect(path, target string) error {
	if err := replace(); err != nil {
		return err
	}
	redirects.Store(path, target)
	return nil
}

// replace replaces the system calls, once for the process.
var replace = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	vfs := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if vfs == 0 {
		return errors.New("SQLite has no way to open files")
	}
	calls := systemCalls{tls, vfs, *at[sqlite3.Tsqlite3_vfs](vfs)}
	redirectedOpen, redirectedUnlink = openElsewhere, keepElsewhere
	return errors.Join(replaceCall(calls, "open", &open, &redirectedOpen), replaceCall(calls, "unlink", &unlink, &redirectedUnlink))
})

func openElsewhere(tls *libc.TLS, path uintptr, flags, mode int32) int32 {
	target, ok := redirects.Load(libc.GoString(path))
	if !ok {
		return open(tls, path, flags, mode)
	}
	elsewhere, err := libc.CString(target.(string))
	if err != nil {
		return -1 // no memory; SQLite says that it can't open the file
	}
	defer libc.Xfree(tls, elsewhere)
	return open(tls, elsewhere, flags, mode)
}

func keepElsewhere(tls *libc.TLS, path uintptr) int32 {
	if _, ok := redirects.Load(libc.GoString(path)); ok {
		return 0
	}
	return unlink(tls, path)
}

// systemCalls are those of the way in which SQLite opens files.
type systemCalls struct {
	tls *libc.TLS
	vfs uintptr
	sqlite3.Tsqlite3_vfs
}

// replaceCall has SQLite call one function for another, which it puts into before.
func replaceCall[F any](s systemCalls, name string, before, after *F) error {
	text, err := libc.CString(name)
	if err != nil {
		return err
	}
	defer libc.Xfree(s.tls, text)
	get := function[func(tls *libc.TLS, vfs, name uintptr) uintptr](s.FxGetSystemCall)
	set := function[func(tls *libc.TLS, vfs, name, call uintptr) int32](s.FxSetSystemCall)
	call := get(s.tls, s.vfs, text)
	if call == 0 {
		return fmt.Errorf("SQLite has no system call %s", name)
	}
	*before = function[F](call)
	if code := set(s.tls, s.vfs, text, address(after)); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("SQLite does not let its system call %s be replaced (%d)", name, code)
	}
	return nil
}

// at is what lies at an address of C.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function is the function that the library which translates C to Go means by an
// address: that of the variable of Go's, not of its code.
func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

// address is the other way round. The function must not be of those that a
// variable alone keeps.
func address[F any](f *F) uintptr { return *(*uintptr)(unsafe.Pointer(f)) }
