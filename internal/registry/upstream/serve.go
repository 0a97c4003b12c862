package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/usefloww/flowwd/internal/registry"
)

// Serve implements registry.Storage.
func (s *Storage) Serve(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	err := s.serve(client{w}, r, q)
	if errors.Is(err, errGone) {
		return nil
	}
	var refused *registry.Error
	if err != nil && r.Context().Err() == nil && (!errors.As(err, &refused) || refused.Status >= http.StatusInternalServerError) {
		s.Log.WarnContext(r.Context(), "the registry behind this server did not do what was asked", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	return err
}

func (s *Storage) serve(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	switch {
	case q.Kind == registry.Upload:
		return s.upload(w, r, q)
	case q.Kind == registry.Tags:
		return s.tags(w, r, q)
	case q.Kind == registry.Manifest && q.Writes:
		return s.putManifest(w, r, q)
	case q.Kind == registry.Manifest:
		return s.manifest(w, r, q)
	default:
		return s.blob(w, r, q)
	}
}

// errGone says that it is the client that can't be written to.
var errGone = errors.New("the client is gone")

// client tells its own failures from those of the upstream.
type client struct{ http.ResponseWriter }

func (c client) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return n, err
}

// Unwrap is for http.ResponseController.
func (c client) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// read bounds and reads the body of an answer.
func read(res *http.Response, most int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, because(errSilent, "its answer ends early: %v", plain(err))
	case int64(len(content)) > most:
		return nil, because(errNonsense, "its answer has more than %d bytes", most)
	}
	return content, nil
}

// copied are the headers of a request that matter upstream.
func copied(r *http.Request, names ...string) http.Header {
	header := http.Header{}
	for _, name := range names {
		if values := r.Header.Values(name); len(values) > 0 {
			header[http.CanonicalHeaderKey(name)] = values
		}
	}
	return header
}

// write answers with a content as a whole, or with what is said about it.
func write(w http.ResponseWriter, r *http.Request, kind string, content []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write(content)
	return err
}

// path is where something of an organization is at this server.
func path(q registry.Request, rest string) string {
	return registry.Path + registry.Repository(q.Organization) + rest
}
