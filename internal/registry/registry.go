package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	"github.com/usefloww/flowwd/internal/registry/files"
)

// Config is what a Registry is made of. All fields are required.
type Config struct {
	// Folder holds the images.
	Folder string
	// Secret signs the state of uploads, which clients carry; with the same
	// one a push goes on after a restart.
	Secret string
	// Limit is how many bytes an organization may keep.
	Limit int64
	Log   *slog.Logger
	Now   func() time.Time
}

// Registry keeps images. Safe for concurrent use.
type Registry struct {
	Config
	app    *handlers.App
	files  *files.Driver
	images distribution.Namespace
	// pushing is held by what writes, and wholly by what removes.
	pushing sync.RWMutex
}

// prepare has the library find the driver of images by name, as it wants to, and
// keeps it from writing to standard error: what it has to say is in its answers.
var prepare = sync.OnceFunc(func() {
	logrus.SetOutput(io.Discard)
	factory.Register(files.Name, opener{})
})

// opener gives the library the driver that New has opened.
type opener struct{}

const openedDriver = "driver"

func (opener) Create(_ context.Context, parameters map[string]any) (driver.StorageDriver, error) {
	d, ok := parameters[openedDriver].(*files.Driver)
	if !ok {
		return nil, errors.New("no folder was opened")
	}
	return d, nil
}

// New returns a Registry. Stop must be called.
func New(c Config) (r *Registry, err error) {
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
	r = &Registry{Config: c, files: opened}
	if r.images, err = storage.NewRegistry(context.Background(), r.files, storage.EnableDelete); err != nil {
		return nil, fmt.Errorf("make the image registry: %w", err)
	}
	settings := &configuration.Configuration{Storage: configuration.Storage{
		files.Name:    configuration.Parameters{openedDriver: opened},
		"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
		"redirect":    configuration.Parameters{"disable": true},
	}}
	settings.HTTP.Secret, settings.HTTP.RelativeURLs = c.Secret, true
	settings.Log.AccessLog.Disabled = true
	r.app = handlers.NewApp(context.Background(), settings)
	return r, nil
}

// Stop ends what the registry does by itself.
func (r *Registry) Stop(context.Context) error { return errors.Join(r.app.Shutdown(), r.files.Close()) }

// idle is how long a client may send nothing.
const idle = time.Minute

// Serve answers a request that the caller has allowed.
func (r *Registry) Serve(w http.ResponseWriter, request *http.Request, q Request) error {
	if q.Writes || !q.Reads {
		r.pushing.RLock()
		defer r.pushing.RUnlock()
	}
	if q.Kind == Blob && !q.Reads {
		_ = r.keep(request.Context(), q) // what is not there needs no keeping; the answer says so
	}
	request = request.Clone(request.Context())
	if q.Kind == Upload {
		// A layer of another organization is not to be had by naming it; without
		// these the client uploads it.
		values := request.URL.Query()
		values.Del("mount")
		values.Del("from")
		request.URL.RawQuery = values.Encode()
	}
	body, err := r.bounded(w, request, q)
	if err != nil {
		return err
	}
	defer body.slow.Stop()
	request.Body = body
	if q.Kind == Manifest && q.Writes {
		if err := checkManifest(request); err != nil {
			return err
		}
	}
	a := &answer{ResponseWriter: w, instead: func(status int) *Error {
		switch {
		case body.exceeded:
			return tooMuch(r.Limit)
		case status >= http.StatusInternalServerError:
			return newError(http.StatusServiceUnavailable, "UNKNOWN", "the image registry can't do this now; try again later")
		default:
			return nil
		}
	}}
	r.app.ServeHTTP(a, request)
	if len(a.failure) > 0 && !body.exceeded && request.Context().Err() == nil {
		r.Log.ErrorContext(request.Context(), "the image registry failed", "method", request.Method, "path", request.URL.Path, "answer", string(a.failure))
	}
	return nil
}

func tooMuch(limit int64) *Error {
	return denied("the organization's images would take more than %d MiB, which is its limit (FLOWW_REGISTRY_LIMIT); remove runtimes that are not needed", limit>>20)
}

// upload is a body that ends when its client is too slow or sends too much.
type upload struct {
	io.ReadCloser
	// slow ends the body; each read puts it off.
	slow     *time.Timer
	left     int64
	exceeded bool
}

// newUpload lifts the server's deadline, which is for small bodies, and bounds
// the silence of the client instead.
func newUpload(w http.ResponseWriter, body io.ReadCloser) *upload {
	if body == nil {
		body = http.NoBody
	}
	// A writer that has no deadlines needs none moved.
	deadlines := http.NewResponseController(w)
	_ = deadlines.SetReadDeadline(time.Time{})
	return &upload{ReadCloser: body, slow: time.AfterFunc(idle, func() {
		_ = deadlines.SetReadDeadline(time.Unix(1, 0))
	})}
}

// errTooMuch ends a body.
var errTooMuch = errors.New("the body is larger than what the organization may keep")

func (u *upload) Read(p []byte) (int, error) {
	u.slow.Reset(idle)
	n, err := u.ReadCloser.Read(p)
	if u.left -= int64(n); u.left < 0 {
		u.exceeded = true
		return 0, errTooMuch
	}
	return n, err
}

// manifestSize bounds a manifest: what the specification asks registries for at
// least, and the library takes at most.
const manifestSize = 4 << 20

// bounded returns the body of a request with an end.
func (r *Registry) bounded(w http.ResponseWriter, request *http.Request, q Request) (*upload, error) {
	left := int64(manifestSize)
	if q.Kind == Upload {
		used, err := r.Usage(request.Context(), q.Organization)
		if err != nil {
			return nil, err
		}
		if left = r.Limit - used; left <= 0 || request.ContentLength > left {
			return nil, tooMuch(r.Limit)
		}
	}
	u := newUpload(w, request.Body)
	u.left = left
	return u, nil
}

// repository returns an organization's repository.
func (r *Registry) repository(ctx context.Context, organization id.ID) (distribution.Repository, error) {
	named, err := name(organization)
	if err != nil {
		return nil, err
	}
	return r.images.Repository(ctx, named)
}
