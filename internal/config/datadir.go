package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/usefloww/flowwd/internal/filelock"
)

// DataDir is the folder that holds everything flowwd must not lose. It is for
// its owner alone.
type DataDir string

// Database is the path of the database file.
func (d DataDir) Database() string { return filepath.Join(string(d), "flowwd.db") }

// Blobs is the folder of event bodies that are too large for the database.
func (d DataDir) Blobs() string { return filepath.Join(string(d), "blobs") }

// Images is the folder of container images.
func (d DataDir) Images() string { return filepath.Join(string(d), "images") }

func (d DataDir) keys() string { return filepath.Join(string(d), "keys") }

func (d DataDir) lock() string { return filepath.Join(string(d), "lock") }

// Make makes the folder for its owner alone when it is missing, and refuses
// one that Check refuses.
func (d DataDir) Make() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	return d.Check()
}

// Check refuses a folder that is missing, that others can change or that
// cannot be written to, each with what to do.
func (d DataDir) Check() error {
	info, err := os.Stat(string(d))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the data folder %s does not exist: start 'flowwd serve' with it once, or name another one with --data-dir", d)
	case err != nil:
		return fmt.Errorf("look at the data folder: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is no folder: name a folder with --data-dir", d)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("the data folder %s can be changed by other users of the machine (mode %04o): run 'chmod go-w %s'", d, mode, d)
	}
	probe, err := os.CreateTemp(string(d), ".writable-*")
	if err != nil {
		return fmt.Errorf("the data folder %s cannot be written to: run flowwd as its owner, or free space on its disk (%w)", d, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// CheckFiles returns what is wrong with the files that hold secrets, one error
// each; files that are missing are made at the next start.
func (d DataDir) CheckFiles() []error {
	var problems []error
	for _, path := range []string{d.Database(), d.keys()} {
		if err := checkPath(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	for _, name := range keyFiles {
		if _, err := readKey(filepath.Join(d.keys(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	return problems
}

func checkPath(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at a file of secrets: %w", err)
	}
	return checkPrivate(path, info)
}

// checkPrivate refuses a file or folder that others than its owner can open.
func checkPrivate(path string, info fs.FileInfo) error {
	mode := info.Mode().Perm()
	if mode&0o077 == 0 {
		return nil
	}
	want := "600"
	if info.IsDir() {
		want = "700"
	}
	return fmt.Errorf("%s can be opened by other users of the machine (mode %04o): run 'chmod %s %s'", path, mode, want, path)
}

// Lock is the right to serve a data folder. It ends with Release or with the
// process.
type Lock struct{ file *os.File }

// InUseError says that another server holds the data folder.
type InUseError struct {
	Dir DataDir
	// PID is the other process; 0 when unknown.
	PID int
}

// Error says who holds the folder and what to do.
func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the data folder %s is served by %s already: stop that one, or name another folder with --data-dir", e.Dir, who)
}

// Acquire locks the folder for this process. It returns an *InUseError when
// another one has it.
func (d DataDir) Acquire() (*Lock, error) {
	file, err := os.OpenFile(d.lock(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data folder: %w", err)
	}
	got, err := filelock.TryFile(file, filelock.Exclusive)
	if err != nil || !got {
		defer file.Close()
		if err == nil {
			return nil, &InUseError{Dir: d, PID: readPID(file)}
		}
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := writePID(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("write the lock of the data folder: %w", err)
	}
	return &Lock{file: file}, nil
}

// Release gives the folder free. The file stays: removing it could take away a
// lock that somebody else holds by then.
func (l *Lock) Release() error {
	return errors.Join(l.file.Truncate(0), filelock.Unlock(l.file))
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(file *os.File) int {
	text := make([]byte, 32)
	n, _ := file.ReadAt(text, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}
