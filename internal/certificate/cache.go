package certificate

import (
	"context"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"github.com/usefloww/flowwd/internal/fault"
)

// Store keeps what was got, by name: keys, certificates, and answers to the
// questions of the authority, which may reach another server than the one that
// ordered.
type Store interface {
	// CertificateEntry returns an entry; fault.NotFound when there is none.
	CertificateEntry(ctx context.Context, name string) (sealed []byte, err error)
	PutCertificateEntry(ctx context.Context, name string, sealed []byte, at time.Time) error
	// DeleteCertificateEntry deletes an entry, if there is one.
	DeleteCertificateEntry(ctx context.Context, name string) error
}

// Sealer encrypts what is kept.
type Sealer interface {
	Seal(text []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// cache is a Store as autocert wants it.
type cache struct {
	store Store
	ring  Sealer
	now   func() time.Time
}

// Get implements autocert.Cache. What can't be opened, because the key it was
// sealed with is gone, counts as absent: it can be got anew.
func (c cache) Get(ctx context.Context, name string) ([]byte, error) {
	sealed, err := c.store.CertificateEntry(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, err
	}
	text, err := c.ring.Open(sealed)
	if err != nil {
		return nil, autocert.ErrCacheMiss
	}
	return text, nil
}

// Put implements autocert.Cache.
func (c cache) Put(ctx context.Context, name string, text []byte) error {
	sealed, err := c.ring.Seal(text)
	if err != nil {
		return err
	}
	return c.store.PutCertificateEntry(ctx, name, sealed, c.now())
}

// Delete implements autocert.Cache.
func (c cache) Delete(ctx context.Context, name string) error {
	return c.store.DeleteCertificateEntry(ctx, name)
}
