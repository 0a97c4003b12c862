package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// CertificateEntry implements certificate.Store.
func (s *Store) CertificateEntry(ctx context.Context, name string) (sealed []byte, err error) {
	err = s.read(ctx, "read a certificate", func(v *view) error {
		found, err := v.one(`SELECT c.sealed FROM certificates c WHERE c.name = ?`, args{name}, &sealed)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "There is no certificate %q", name)
		}
		return err
	})
	return sealed, err
}

// PutCertificateEntry implements certificate.Store.
func (s *Store) PutCertificateEntry(ctx context.Context, name string, sealed []byte, at time.Time) error {
	return s.write(ctx, "keep a certificate", func(t *tx) error {
		_, err := t.exec(`
			INSERT INTO certificates (name, sealed, updated_at) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at`, name, sealed, at)
		return err
	})
}

// DeleteCertificateEntry implements certificate.Store.
func (s *Store) DeleteCertificateEntry(ctx context.Context, name string) error {
	return s.write(ctx, "delete a certificate", func(t *tx) error {
		_, err := t.exec(`DELETE FROM certificates WHERE name = ?`, name)
		return err
	})
}
