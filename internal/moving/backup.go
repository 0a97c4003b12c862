package moving

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/transfer"
)

// Backup writes an installation into a file, beside its servers or without.
type Backup struct {
	Data config.Data
	// File is made for its owner alone.
	File string
	// Force lets the file take the place of one that is there.
	Force bool
	// Version is the version of this program.
	Version string
	Now     func() time.Time
	Report  Report
}

// Summary is what a file holds.
type Summary struct {
	Header transfer.Header
	Sums   transfer.Sums
	// Keys are the names of the files of keys.
	Keys []string
	// Size of the file in bytes.
	Size int64
}

// Run writes the file and reads it again. Until that has gone well it has
// another name.
func (b Backup) Run(ctx context.Context) (s Summary, err error) {
	if err := b.check(); err != nil {
		return s, err
	}
	f, err := os.CreateTemp(filepath.Dir(b.File), ".unfinished-backup-*") // mode 0600
	if err != nil {
		return s, fmt.Errorf("make the backup: %w", err)
	}
	defer func() {
		if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	written, err := b.write(ctx, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return s, err
	}
	if s, err = check(ctx, f.Name(), nil); err != nil {
		return s, fmt.Errorf("the backup was written and can't be read again; try another disk: %w", err)
	}
	if err := written.Compare(s.Sums); err != nil {
		return s, fmt.Errorf("the backup is not what was written; try another disk:\n%w", err)
	}
	return s, b.publish(f.Name())
}

// check refuses what can be refused before any work.
func (b Backup) check() error {
	if err := placeOf(b.Data).exists(); err != nil {
		return err
	}
	if err := config.DataDir(b.Data.DataDir).Check(); err != nil {
		return fmt.Errorf("%w (a backup holds the keys in the data folder too)", err)
	}
	info, err := os.Lstat(b.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at the file: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file: name one", b.File)
	case !b.Force:
		return fmt.Errorf("%s is there already: name another file, or replace it with --force", b.File)
	}
	return nil
}

func (b Backup) write(ctx context.Context, f *os.File) (_ transfer.Sums, err error) {
	keys, err := config.DataDir(b.Data.DataDir).KeyFiles()
	if err != nil {
		return nil, err
	}
	snapshot, err := store.OpenSnapshot(ctx, placeOf(b.Data).config())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	out := bufio.NewWriterSize(f, 1<<20)
	w, err := transfer.NewWriter(out, transfer.Header{
		Version: b.Version, Database: snapshot.Kind(), Schema: snapshot.Schema(), CreatedAt: b.Now().UTC().Truncate(time.Millisecond),
	}, keyRecords(keys))
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	if _, err := snapshot.Send(ctx, &transfer.Progress{Next: w, Report: b.Report.orNone()}); err != nil {
		w.Abandon()
		return nil, err
	}
	sums, err := w.Finish()
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	return sums, nil
}

func keyRecords(files map[string][]byte) []transfer.Key {
	var keys []transfer.Key
	for _, name := range slices.Sorted(maps.Keys(files)) {
		keys = append(keys, transfer.Key{Name: name, Content: files[name]})
	}
	return keys
}

// publish gives the finished file its name, durably.
func (b Backup) publish(temp string) error {
	move := os.Rename
	if !b.Force {
		move = os.Link // refuses a name that is taken by now
	}
	if err := move(temp, b.File); err != nil {
		return fmt.Errorf("name the backup: %w", err)
	}
	folder, err := os.Open(filepath.Dir(b.File))
	if err != nil {
		return fmt.Errorf("name the backup: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Check reads a whole file and compares it with the checksums in it.
func Check(ctx context.Context, file string, report Report) (Summary, error) {
	s, err := check(ctx, file, report)
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func check(ctx context.Context, file string, report Report) (s Summary, err error) {
	err = reading(file, func(r *transfer.Reader, size int64) (err error) {
		s = Summary{Header: r.Header(), Size: size}
		for _, key := range r.Keys() {
			s.Keys = append(s.Keys, key.Name)
		}
		s.Sums, err = r.Send(ctx, &transfer.Progress{Next: transfer.Discard{}, Report: report.orNone()})
		return err
	})
	return s, err
}

// reading opens a file for one reading.
func reading(file string, read func(r *transfer.Reader, size int64) error) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	r, err := transfer.NewReader(f)
	if err != nil {
		return err
	}
	defer r.Close()
	return read(r, info.Size())
}
