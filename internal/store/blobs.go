package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/filelock"
	"github.com/usefloww/flowwd/internal/workflow"
)

// maxInline is the largest body that is kept in the database itself.
const maxInline = 64 << 10

// blobs keeps large bodies as files named after their content's hash, in 256
// folders. A file is whole and on disk before a row names it; one that no row
// names (the row was never committed, or was purged) is swept.
type blobs struct {
	folder string

	mu sync.Mutex
	// pins counts the writes under way that will name a file soon.
	pins map[workflow.Hash]int
}

var errNoBlobs = errors.New("this process was opened without a folder for large bodies")

// openBlobs makes the folder when it is absent and removes what was being
// written when the last process ended.
func openBlobs(folder string, readOnly bool) (*blobs, error) {
	b := &blobs{folder: folder, pins: make(map[workflow.Hash]int)}
	if folder == "" || readOnly {
		return b, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of large bodies: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(folder, tempPrefix+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove a body that was not finished: %w", err)
		}
	}
	return b, nil
}

const tempPrefix = "unfinished-"

func (b *blobs) path(hash workflow.Hash) string {
	name := hex.EncodeToString(hash[:])
	return filepath.Join(b.folder, name[:2], name)
}

// put writes a body to disk and keeps it from being swept until release is
// called, which is after the row that names it was committed or given up.
func (b *blobs) put(body []byte) (hash workflow.Hash, release func(), err error) {
	if b.folder == "" {
		return workflow.Hash{}, nil, errNoBlobs
	}
	hash = sha256.Sum256(body)
	b.pin(hash, 1)
	release = func() { b.pin(hash, -1) }
	if err := b.write(hash, body); err != nil {
		release()
		return workflow.Hash{}, nil, fault.Because(err, fault.Unavailable, "the event's body can't be stored; try again later")
	}
	return hash, release, nil
}

func (b *blobs) pin(hash workflow.Hash, by int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pins[hash] += by
	if b.pins[hash] == 0 {
		delete(b.pins, hash)
	}
}

// write makes the file unless it is there with the right size. Two writers of
// one body write two temporary files and rename both to the same name.
func (b *blobs) write(hash workflow.Hash, body []byte) (err error) {
	path := b.path(hash)
	shelf := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(body)) {
		// Whoever made it may not have come to this yet.
		return syncFolder(shelf)
	}
	if err := os.Mkdir(shelf, 0o700); err == nil {
		if err := syncFolder(b.folder); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.CreateTemp(b.folder, tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := writeSynced(f, body); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(shelf)
}

func writeSynced(f *os.File, body []byte) error {
	_, err := f.Write(body)
	if err == nil {
		err = syncFile(f)
	}
	return errors.Join(err, f.Close())
}

// syncFolder makes a new name in a folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(syncFile(d), d.Close())
}

// get reads a body and checks that it is the one that was stored.
func (b *blobs) get(hash workflow.Hash) ([]byte, error) {
	if b.folder == "" {
		return nil, errNoBlobs
	}
	body, err := os.ReadFile(b.path(hash))
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(body) != hash {
		return nil, fmt.Errorf("the file of body %x has other content", hash[:4])
	}
	return body, nil
}

// sweepLock is the file whose lock a sweep holds alone, and those who need all
// files of one moment hold together.
const sweepLock = "lock"

// hold keeps every file from being swept until release is called.
func (b *blobs) hold(ctx context.Context) (release func() error, err error) {
	if _, err := os.Stat(b.folder); b.folder == "" || errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	lock, err := filelock.Lock(ctx, filepath.Join(b.folder, sweepLock), filelock.Shared)
	if err != nil {
		return nil, err
	}
	return func() error { return filelock.Unlock(lock) }, nil
}

// sweep is list, but calls found for none while somebody holds the files.
func (b *blobs) sweep(found func(workflow.Hash) bool) (err error) {
	if b.folder == "" {
		return nil
	}
	lock, err := filelock.Try(filepath.Join(b.folder, sweepLock), os.O_RDWR|os.O_CREATE, filelock.Exclusive)
	if err != nil || lock == nil {
		return err
	}
	defer func() { err = errors.Join(err, filelock.Unlock(lock)) }()
	return b.list(found)
}

// list calls found for the hashes of stored bodies until it returns false.
func (b *blobs) list(found func(workflow.Hash) bool) error {
	shelves, err := os.ReadDir(b.folder)
	if err != nil {
		return err
	}
	for _, shelf := range shelves {
		if !shelf.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(b.folder, shelf.Name()))
		if err != nil {
			return err
		}
		for _, f := range files {
			var hash workflow.Hash
			if len(f.Name()) != hex.EncodedLen(len(hash)) {
				continue
			}
			if _, err := hex.Decode(hash[:], []byte(f.Name())); err != nil {
				continue
			}
			if !found(hash) {
				return nil
			}
		}
	}
	return nil
}

// removeUnless removes a body's file unless a write under way is about to name
// it or named says that a row does. It reports whether it removed the file.
func (b *blobs) removeUnless(hash workflow.Hash, named func() (bool, error)) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pins[hash] > 0 {
		return false, nil
	}
	// Asked under the lock: a row that is committed before this moment is seen,
	// and one that comes later has pinned the file first.
	if used, err := named(); used || err != nil {
		return false, err
	}
	err := os.Remove(b.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
