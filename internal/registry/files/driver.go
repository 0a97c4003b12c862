package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// Name is the driver's, in errors.
const Name = "folder"

// Driver is a driver.StorageDriver of a folder. Safe for concurrent use, by one
// process.
type Driver struct {
	root *os.Root
	// parts numbers files that are being written.
	parts atomic.Int64
}

var _ driver.StorageDriver = (*Driver)(nil)

// Open makes the folder for its owner alone when it is missing. Close must be
// called.
func Open(folder string) (*Driver, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of images: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open the folder of images: %w", err)
	}
	return &Driver{root: root}, nil
}

// Close ends all use of the folder.
func (d *Driver) Close() error { return d.root.Close() }

// Name implements driver.StorageDriver, as do those below.
func (d *Driver) Name() string { return Name }

// inside returns the path in the folder of one of the library's, which begin with
// a slash.
func inside(of string) (string, error) {
	if !driver.PathRegexp.MatchString(of) {
		return "", driver.InvalidPathError{Path: of, DriverName: Name}
	}
	return strings.TrimPrefix(of, "/"), nil
}

// insideOrAll does the same, with the folder itself as "/".
func insideOrAll(of string) (string, error) {
	if of == "/" {
		return ".", nil
	}
	return inside(of)
}

// named puts an error into the library's words.
func named(of string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return driver.PathNotFoundError{Path: of, DriverName: Name}
	default:
		return driver.Error{DriverName: Name, Detail: err}
	}
}

func (d *Driver) GetContent(_ context.Context, of string) ([]byte, error) {
	file, err := inside(of)
	if err != nil {
		return nil, err
	}
	content, err := d.root.ReadFile(file)
	return content, named(of, err)
}

// part returns the name of a file that becomes another when it is whole.
func (d *Driver) part(file string) string {
	return path.Join(path.Dir(file), "."+strconv.Itoa(os.Getpid())+"-"+strconv.FormatInt(d.parts.Add(1), 10)+".part")
}

func (d *Driver) PutContent(_ context.Context, of string, content []byte) error {
	file, err := inside(of)
	if err != nil {
		return err
	}
	return named(of, d.put(file, content))
}

func (d *Driver) put(file string, content []byte) (err error) {
	if err := d.makeFolder(path.Dir(file)); err != nil {
		return err
	}
	part := d.part(file)
	f, err := d.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.root.Rename(part, file)
	}
	if err != nil {
		return errors.Join(err, d.root.Remove(part))
	}
	return d.syncFolder(path.Dir(file))
}

func (d *Driver) Reader(_ context.Context, of string, offset int64) (io.ReadCloser, error) {
	file, err := inside(of)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, driver.InvalidOffsetError{Path: of, Offset: offset, DriverName: Name}
	}
	f, err := d.root.Open(file)
	if err != nil {
		return nil, named(of, err)
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, named(of, errors.Join(err, f.Close()))
	}
	return f, nil
}

func (d *Driver) Stat(_ context.Context, of string) (driver.FileInfo, error) {
	file, err := insideOrAll(of)
	if err != nil {
		return nil, err
	}
	about, err := d.root.Stat(file)
	if err != nil {
		return nil, named(of, err)
	}
	fields := driver.FileInfoFields{Path: of, ModTime: about.ModTime(), IsDir: about.IsDir()}
	if !fields.IsDir {
		fields.Size = about.Size()
	}
	return driver.FileInfoInternal{FileInfoFields: fields}, nil
}

func (d *Driver) List(_ context.Context, of string) ([]string, error) {
	file, err := insideOrAll(of)
	if err != nil {
		return nil, err
	}
	found, err := fs.ReadDir(d.root.FS(), file)
	if err != nil {
		return nil, named(of, err)
	}
	paths := make([]string, 0, len(found))
	for _, f := range found {
		if !strings.HasSuffix(f.Name(), ".part") {
			paths = append(paths, path.Join(of, f.Name()))
		}
	}
	return paths, nil
}

func (d *Driver) Move(_ context.Context, from, to string) error {
	source, err := inside(from)
	if err != nil {
		return err
	}
	target, err := inside(to)
	if err != nil {
		return err
	}
	if _, err := d.root.Stat(source); err != nil {
		return named(from, err)
	}
	if err := d.makeFolder(path.Dir(target)); err != nil {
		return named(to, err)
	}
	if err := d.root.Rename(source, target); err != nil {
		return named(from, err)
	}
	return named(to, errors.Join(d.syncFolder(path.Dir(target)), d.syncFolder(path.Dir(source))))
}

func (d *Driver) Delete(_ context.Context, of string) error {
	file, err := inside(of)
	if err != nil {
		return err
	}
	if _, err := d.root.Lstat(file); err != nil {
		return named(of, err)
	}
	return named(of, d.root.RemoveAll(file))
}

// RedirectURL says that contents are served by the server itself.
func (d *Driver) RedirectURL(*http.Request, string) (string, error) { return "", nil }

func (d *Driver) Walk(ctx context.Context, of string, visit driver.WalkFn, options ...func(*driver.WalkOptions)) error {
	return driver.WalkFallback(ctx, d, of, visit, options...)
}

// makeFolder makes a folder and those around it, on the disk.
func (d *Driver) makeFolder(folder string) error {
	if _, err := d.root.Stat(folder); err == nil {
		return nil
	}
	if err := d.root.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for {
		folder = path.Dir(folder)
		if err := d.syncFolder(folder); err != nil || folder == "." {
			return err
		}
	}
}

// syncFolder brings the names in a folder to the disk. One that is gone needs it
// no more.
func (d *Driver) syncFolder(folder string) error {
	f, err := d.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
