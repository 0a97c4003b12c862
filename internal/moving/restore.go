package moving

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/transfer"
)

// Restore makes an installation of a file that Backup wrote.
type Restore struct {
	// Data names a new or empty data folder, and an empty database if it is not
	// in the folder.
	Data   config.Data
	File   string
	Now    func() time.Time
	Report Report
}

// Run reads the file once to see that it is whole, fills the database, and reads
// that again. Whenever it ends before that, no server starts on the database,
// and Run can be repeated.
func (r Restore) Run(ctx context.Context) (s Summary, err error) {
	if s, err = Check(ctx, r.File, nil); err != nil {
		return s, err
	}
	if err := sameSchema(s.Header); err != nil {
		return s, fmt.Errorf("%s: %w", r.File, err)
	}
	dir := config.DataDir(r.Data.DataDir)
	if err := dir.Make(); err != nil {
		return s, err
	}
	lock, err := dir.Acquire()
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	return s, reading(r.File, func(file *transfer.Reader, _ int64) error { return r.fill(ctx, dir, file, s.Sums) })
}

func sameSchema(h transfer.Header) error {
	known, err := store.Schema()
	if err != nil {
		return err
	}
	if h.Schema != known {
		return fmt.Errorf("the backup has schema version %d and this flowwd has %d: restore it with the flowwd that made it (%s), and start the newer one on the result",
			h.Schema, known, h.Version)
	}
	return nil
}

// fill makes the database and puts the keys into the data folder, which this
// process has locked.
func (r Restore) fill(ctx context.Context, dir config.DataDir, file *transfer.Reader, want transfer.Sums) (err error) {
	keys := map[string][]byte{}
	for _, key := range file.Keys() {
		keys[key.Name] = key.Content
	}
	if err := dir.CheckKeyFiles(keys); err != nil {
		return err
	}
	about := fmt.Sprintf("by a restore of %s that began at %s", r.File, stamp(r.Now()))
	target, err := store.OpenTarget(ctx, placeOf(r.Data).config(), false, about)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	stored, err := target.Fill(ctx, func(ctx context.Context, to transfer.Sink) (transfer.Sums, error) {
		return file.Send(ctx, &transfer.Progress{Next: to, Report: r.Report.orNone()})
	})
	if err != nil {
		return err
	}
	if err := want.Compare(stored); err != nil {
		return fmt.Errorf("%s was changed while it was restored; run the restore again:\n%w", r.File, err)
	}
	if err := dir.AddKeyFiles(keys); err != nil {
		return err
	}
	return target.Release(ctx, store.Serve)
}

// stamp writes a time for people.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05Z") }
