package store

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/usefloww/flowwd/internal/workflow"
)

// encryptionKey names the check of the key that secrets are encrypted with.
const encryptionKey = "encryption"

// CheckEncryptionKey reports whether one of the keys with these digests is the
// one that the database was begun with; the first one begins it where none did.
// Afterwards the first one is the one to know, so that keys can be rotated.
func (s *Store) CheckEncryptionKey(ctx context.Context, digests [][sha256.Size]byte) (bool, error) {
	known := false
	err := s.write(ctx, "check the encryption key", func(t *tx) error {
		_, err := t.exec(`INSERT INTO key_checks (name, digest) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, encryptionKey, digests[0][:])
		if err != nil {
			return err
		}
		var stored workflow.Hash
		if _, err := t.one(`SELECT k.digest FROM key_checks k WHERE k.name = ?`+t.conn.dialect.lock("k"), args{encryptionKey}, &stored); err != nil {
			return err
		}
		if known = slices.Contains(digests, [sha256.Size]byte(stored)); !known || stored == workflow.Hash(digests[0]) {
			return nil
		}
		_, err = t.exec(`UPDATE key_checks SET digest = ? WHERE name = ?`, digests[0][:], encryptionKey)
		return err
	})
	return known, err
}

// KnowsEncryptionKey reports whether the database was begun with one of the keys
// with these digests, or with none yet. It changes nothing.
func (s *Store) KnowsEncryptionKey(ctx context.Context, digests [][sha256.Size]byte) (bool, error) {
	known := false
	err := s.read(ctx, "check the encryption key", func(v *view) error {
		var stored workflow.Hash
		found, err := v.one(`SELECT k.digest FROM key_checks k WHERE k.name = ?`, args{encryptionKey}, &stored)
		known = !found || slices.Contains(digests, [sha256.Size]byte(stored))
		return err
	})
	return known, err
}
