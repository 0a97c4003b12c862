package registry

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Grace is how long what nothing needs is kept after it was pushed or asked for:
// long enough for a push and for the runtime that is made of it afterwards.
const Grace = 24 * time.Hour

// Config is what a Registry is made of. All fields are required.
type Config struct {
	Storage Storage
	// Limit is how many bytes an organization may keep.
	Limit int64
	// Remedy is what to do about images that take more.
	Remedy string
	Log    *slog.Logger
}

// Registry guards a storage. Safe for concurrent use.
type Registry struct {
	Config
	// pushing is held by what writes, and wholly by what removes.
	pushing sync.RWMutex
	// uploading are the uploads that a request writes to.
	uploading sync.Map
}

// New returns a Registry. Stop must be called.
func New(c Config) *Registry { return &Registry{Config: c} }

// Stop ends what the registry does by itself.
func (r *Registry) Stop(context.Context) error { return r.Storage.Close() }

// uploadName tells uploads apart.
type uploadName struct {
	organization id.ID
	reference    string
}

// Serve answers a request that the caller has allowed.
func (r *Registry) Serve(w http.ResponseWriter, request *http.Request, q Request) error {
	if q.Writes || !q.Reads {
		r.pushing.RLock()
		defer r.pushing.RUnlock()
	}
	if q.Kind == Upload && q.Writes && q.Reference != "" {
		// Storages keep up with one request of an upload: of two at a time they
		// would store a mixture under the digest of one.
		if _, other := r.uploading.LoadOrStore(uploadName{q.Organization, q.Reference}, nil); other {
			return NewError(http.StatusConflict, "BLOB_UPLOAD_INVALID", "another request of this upload is under way; wait for its end, or begin a new upload")
		}
		defer r.uploading.Delete(uploadName{q.Organization, q.Reference})
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
	defer body.end()
	request.Body = body
	if q.Kind == Manifest && q.Writes {
		if err := checkManifest(request); err != nil {
			return err
		}
	}
	a := newAnswer(w, func(status int) *Error {
		switch {
		case body.exceeded.Load():
			return r.tooMuch()
		case status >= http.StatusInternalServerError:
			return NewError(http.StatusServiceUnavailable, "UNKNOWN", "the image registry can't do this now; try again later")
		default:
			return nil
		}
	})
	defer a.end()
	err = r.Storage.Serve(a, request, q)
	switch {
	case body.exceeded.Load() && !a.began:
		return r.tooMuch()
	case err != nil && a.began:
		// The client must not take what it has for all there is.
		a.cut()
	case err != nil:
		return err
	}
	if failure := a.failure; (err != nil || len(failure) > 0) && !body.exceeded.Load() && request.Context().Err() == nil {
		r.Log.ErrorContext(request.Context(), "the image registry failed", "method", request.Method, "path", request.URL.Path, "answer", string(failure), "error", err)
	}
	return nil
}

func (r *Registry) tooMuch() *Error {
	return denied("the organization's images and uploads would take more than %d MiB, which is its limit (FLOWW_REGISTRY_LIMIT); %s", r.Limit>>20, r.Remedy)
}

// Digest returns the digest of the image that an organization has under a tag;
// fault.NotFound when there is none. It is kept for Grace, for whoever asks makes
// a runtime of it next.
func (r *Registry) Digest(ctx context.Context, organization id.ID, tag string) (string, error) {
	if !IsTag(tag) {
		return "", fault.New(fault.Invalid, "%.100q is no image hash", tag)
	}
	r.pushing.RLock()
	defer r.pushing.RUnlock()
	found, err := r.Storage.Digest(ctx, organization, tag)
	if err != nil {
		return "", fmt.Errorf("look for the image %s: %w", tag, err)
	}
	return found, nil
}

// Largest returns how much organizations keep, those with the most first, at most
// so many, and how many there are.
func (r *Registry) Largest(ctx context.Context, most int) (found []Used, total int, err error) {
	if found, err = r.Storage.Kept(ctx); err != nil {
		return nil, 0, fmt.Errorf("count what all images take: %w", err)
	}
	slices.SortFunc(found, func(a, b Used) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return found[:min(most, len(found))], len(found), nil
}

// Sweep removes images that nothing needs and what only they were made of.
// While somebody pushes it does nothing, and swept is false: it must not wait, for
// whoever comes to push would wait behind it.
func (r *Registry) Sweep(ctx context.Context, needed Needed) (swept bool, err error) {
	if !r.pushing.TryLock() {
		return false, nil
	}
	defer r.pushing.Unlock()
	return true, r.Storage.Sweep(ctx, needed)
}

// bounded returns the body of a request with an end.
func (r *Registry) bounded(w http.ResponseWriter, request *http.Request, q Request) (*upload, error) {
	if q.Kind != Upload || request.Method == http.MethodGet || request.Method == http.MethodDelete {
		return newUpload(w, request.Body, manifestSize), nil
	}
	measure := func() (left int64, err error) {
		used, err := r.Storage.Usage(request.Context(), q.Organization)
		return r.Limit - used, err
	}
	left, err := measure()
	if err != nil {
		return nil, err
	}
	if left < 0 || request.ContentLength > left {
		return nil, r.tooMuch()
	}
	u := newUpload(w, request.Body, left)
	u.measure = measure
	return u, nil
}
