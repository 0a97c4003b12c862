package registry

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/id"
)

// Storage is where images are kept. Safe for concurrent use.
type Storage interface {
	// Serve answers a request of the OCI protocol that is allowed, whose body
	// ends, and that mounts nothing. The error is one of a request that was not
	// answered; an *Error is for the client.
	Serve(w http.ResponseWriter, r *http.Request, q Request) error
	// Digest returns the digest of the image that an organization has under a
	// tag, and keeps the image from being swept for Grace; fault.NotFound when
	// there is none.
	Digest(ctx context.Context, organization id.ID, tag string) (string, error)
	// Usage is how many bytes an organization keeps, with what it has begun to
	// upload.
	Usage(ctx context.Context, organization id.ID) (int64, error)
	// Kept returns how much organizations keep, as far as that is known.
	Kept(ctx context.Context) ([]Used, error)
	// Sweep removes the images that no organization needs. Nobody writes
	// meanwhile.
	Sweep(ctx context.Context, needed Needed) error
	Close() error
}

// Used is how much an organization keeps.
type Used struct {
	Organization id.ID
	Bytes        int64
}

// Needed returns the digests of the images that an organization still needs.
type Needed = func(ctx context.Context, organization id.ID) ([]string, error)
