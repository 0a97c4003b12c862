package files

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// buffer is the size of a writer's, as the library's own drivers have it.
const buffer = 64 << 10

func (d *Driver) Writer(_ context.Context, of string, appending bool) (driver.FileWriter, error) {
	file, err := inside(of)
	if err != nil {
		return nil, err
	}
	if err := d.makeFolder(path.Dir(file)); err != nil {
		return nil, named(of, err)
	}
	flags := os.O_WRONLY | os.O_CREATE
	if !appending {
		flags |= os.O_TRUNC
	}
	f, err := d.root.OpenFile(file, flags, 0o600)
	if err != nil {
		return nil, named(of, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, named(of, errors.Join(err, f.Close()))
	}
	return &writer{d: d, name: file, file: f, buffered: bufio.NewWriterSize(f, buffer), size: size}, nil
}

var (
	errClosed    = errors.New("the file is closed")
	errCommitted = errors.New("the file is committed")
	errCancelled = errors.New("the file was given up")
)

// writer is a driver.FileWriter, for one goroutine.
type writer struct {
	d        *Driver
	name     string
	file     *os.File
	buffered *bufio.Writer
	size     int64
	// closed, committed and cancelled are what was done last; they refuse the
	// rest.
	closed, committed, cancelled bool
}

func (w *writer) refusal() error {
	switch {
	case w.closed:
		return errClosed
	case w.committed:
		return errCommitted
	case w.cancelled:
		return errCancelled
	default:
		return nil
	}
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.refusal(); err != nil {
		return 0, err
	}
	n, err := w.buffered.Write(p)
	w.size += int64(n)
	return n, err
}

func (w *writer) Size() int64 { return w.size }

func (w *writer) flush() error {
	return errors.Join(w.buffered.Flush(), w.file.Sync())
}

// Close keeps what was written, so that an upload can go on later.
func (w *writer) Close() error {
	if w.closed {
		return errClosed
	}
	w.closed = true
	if w.cancelled {
		return w.file.Close()
	}
	return errors.Join(w.flush(), w.file.Close(), w.d.syncFolder(path.Dir(w.name)))
}

func (w *writer) Cancel(context.Context) error {
	if w.closed {
		return errClosed
	}
	w.cancelled = true
	return w.d.root.Remove(w.name)
}

func (w *writer) Commit(context.Context) error {
	if err := w.refusal(); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.committed = true
	return w.d.syncFolder(path.Dir(w.name))
}
