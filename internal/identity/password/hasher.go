package password

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync/atomic"

	"github.com/alexedwards/argon2id"

	"github.com/usefloww/flowwd/internal/fault"
)

// cost is what a hash takes: the second choice of OWASP's list, with less memory
// and more passes than the first, for it is multiplied by hashes at once.
func cost() *argon2id.Params {
	return &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

const (
	// hashing is how many hashes are made at once, 19 MiB each.
	hashing = 2
	// waiting is how many callers wait for their turn.
	waiting = 64
)

// Hasher makes and compares hashes of passwords, few at once. Safe for
// concurrent use.
type Hasher struct {
	params *argon2id.Params
	turns  chan struct{}
	inside atomic.Int64
	done   atomic.Int64
}

// NewHasher returns a Hasher.
func NewHasher() *Hasher { return &Hasher{params: cost(), turns: make(chan struct{}, hashing)} }

// Done is how many hashes were made.
func (h *Hasher) Done() int64 { return h.done.Load() }

func (h *Hasher) turn(ctx context.Context, work func() error) error {
	defer h.inside.Add(-1)
	if h.inside.Add(1) > hashing+waiting {
		return fault.New(fault.Limited, "Too many people log in at once; try again in a moment")
	}
	select {
	case h.turns <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.turns }()
	h.done.Add(1)
	return work()
}

// hash returns the hash of a password with a random salt.
func (h *Hasher) hash(ctx context.Context, password string) (hash string, err error) {
	err = h.turn(ctx, func() (err error) {
		hash, err = argon2id.CreateHash(password, h.params)
		return err
	})
	return hash, err
}

// matches reports whether a hash is one of a password. The empty hash is
// nobody's, and costs the same.
func (h *Hasher) matches(ctx context.Context, password, hash string) (match bool, err error) {
	known := hash != ""
	if !known {
		hash = h.nobodys()
	}
	err = h.turn(ctx, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return match && known, nil
}

// nobodys is a hash that no password has, as far as anybody can tell.
func (h *Hasher) nobodys() string {
	salt, key := make([]byte, h.params.SaltLength), make([]byte, h.params.KeyLength)
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.params.Memory, h.params.Iterations, h.params.Parallelism,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}
