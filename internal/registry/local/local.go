package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	"github.com/sirupsen/logrus"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/registry/files"
)

// Config is what a Storage is made of. All fields are required.
type Config struct {
	// Folder holds the images.
	Folder string
	// Secret signs the state of uploads, which clients carry; with the same
	// one a push goes on after a restart.
	Secret string
	Now    func() time.Time
}

// Storage keeps images in a folder.
type Storage struct {
	Config
	app    *handlers.App
	files  *files.Driver
	images distribution.Namespace
}

var _ registry.Storage = (*Storage)(nil)

// prepare has the library find the driver of images by name, as it wants to, and
// keeps it from writing to standard error: what it has to say is in its answers.
var prepare = sync.OnceFunc(func() {
	logrus.SetOutput(io.Discard)
	factory.Register(files.Name, opener{})
})

// opener gives the library the driver that Open has opened.
type opener struct{}

const openedDriver = "driver"

func (opener) Create(_ context.Context, parameters map[string]any) (driver.StorageDriver, error) {
	d, ok := parameters[openedDriver].(*files.Driver)
	if !ok {
		return nil, errors.New("no folder was opened")
	}
	return d, nil
}

// Open returns a Storage. Close must be called.
func Open(c Config) (s *Storage, err error) {
	prepare()
	opened, err := files.Open(c.Folder)
	if err != nil {
		return nil, err
	}
	defer func() {
		// The library panics when it does not like its settings.
		if v := recover(); v != nil {
			err = fmt.Errorf("make the image registry: %v", v)
		}
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	s = &Storage{Config: c, files: opened}
	if s.images, err = storage.NewRegistry(context.Background(), s.files, storage.EnableDelete); err != nil {
		return nil, fmt.Errorf("make the image registry: %w", err)
	}
	settings := &configuration.Configuration{Storage: configuration.Storage{
		files.Name:    configuration.Parameters{openedDriver: opened},
		"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
		"redirect":    configuration.Parameters{"disable": true},
	}}
	settings.HTTP.Secret, settings.HTTP.RelativeURLs = c.Secret, true
	settings.Log.AccessLog.Disabled = true
	s.app = handlers.NewApp(context.Background(), settings)
	return s, nil
}

// Close ends all use of the folder.
func (s *Storage) Close() error { return errors.Join(s.app.Shutdown(), s.files.Close()) }

// Serve implements registry.Storage.
func (s *Storage) Serve(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	if (q.Kind == registry.Blob || q.Kind == registry.Manifest) && !q.Reads && !q.Writes {
		_ = s.keep(r.Context(), q) // what is not there needs no keeping; the answer says so
	}
	if q.Kind == registry.Upload {
		// The library fails on any other name for bytes.
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	s.app.ServeHTTP(w, r)
	return nil
}

// repository returns an organization's repository.
func (s *Storage) repository(ctx context.Context, organization id.ID) (distribution.Repository, error) {
	named, err := name(organization)
	if err != nil {
		return nil, err
	}
	return s.images.Repository(ctx, named)
}
