package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// The form of an API key: identity-realtime-admin.md 1.7 of the wire contract.
const (
	KeyPrefix      = "floww_sa_"
	keyRandom      = 32
	keyAlphabet    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	shownKeyPrefix = len(KeyPrefix) + 3
	maxKeyName     = 255
	// MaxKeys bounds a listing of keys.
	MaxKeys = 1000
)

// APIKey is a credential of a service account. The key itself is shown once,
// when it is made; only its hash is kept.
type APIKey struct {
	ID               id.ID
	ServiceAccountID id.ID
	OrganizationID   id.ID
	Name             string
	// Prefix is the visible beginning of the key.
	Prefix string
	// Hash is the SHA-256 of the whole key; 190 random bits need no slow hash.
	Hash       [sha256.Size]byte
	CreatedAt  time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

// KeyStore keeps service accounts and their keys. Each method is one atomic
// unit.
type KeyStore interface {
	// CreateAPIKey stores a key together with its service account, whose name
	// is the key's.
	CreateAPIKey(ctx context.Context, key APIKey) error
	// APIKeys returns all keys, newest first, at most limit.
	APIKeys(ctx context.Context, limit int) ([]APIKey, error)
	// RevokeAPIKeys revokes the keys that match and are not revoked yet, and
	// returns them.
	RevokeAPIKeys(ctx context.Context, match KeyMatch, at time.Time) ([]APIKey, error)
	// PrincipalByKeyHash returns the owner of the key with this hash that is
	// not revoked; fault.NotFound otherwise. It notes the use of the key, but
	// not more often than once a minute.
	PrincipalByKeyHash(ctx context.Context, hash [sha256.Size]byte, now time.Time) (Principal, error)
}

// KeyMatch names keys: those with this id, or this name, or this hash. Fields
// left zero match nothing.
type KeyMatch struct {
	ID   id.ID
	Name string
	Hash [sha256.Size]byte
}

// CreateKey makes a service account with one key in an organization, and
// returns the key's text, which is not kept.
func (s *Service) CreateKey(ctx context.Context, organization id.ID, name string) (string, APIKey, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxKeyName {
		return "", APIKey{}, fault.New(fault.Invalid, "the name of an API key must have 1 to %d characters", maxKeyName)
	}
	text, err := newKeyText()
	if err != nil {
		return "", APIKey{}, fmt.Errorf("make an API key: %w", err)
	}
	key := APIKey{
		ID:               s.IDs.New(),
		ServiceAccountID: s.IDs.New(),
		OrganizationID:   organization,
		Name:             name,
		Prefix:           text[:shownKeyPrefix],
		Hash:             sha256.Sum256([]byte(text)),
		CreatedAt:        s.Now(),
	}
	if err := s.Keys.CreateAPIKey(ctx, key); err != nil {
		return "", APIKey{}, fmt.Errorf("store an API key: %w", err)
	}
	return text, key, nil
}

// ListKeys returns all keys, newest first, at most MaxKeys.
func (s *Service) ListKeys(ctx context.Context) ([]APIKey, error) {
	return s.Keys.APIKeys(ctx, MaxKeys)
}

// RevokeKeys revokes the keys named by an id, by a name, or by the key itself.
// All keys of that name are revoked.
func (s *Service) RevokeKeys(ctx context.Context, ref string) ([]APIKey, error) {
	match := KeyMatch{Name: ref}
	if parsed, err := id.Parse(ref); err == nil {
		match = KeyMatch{ID: parsed}
	} else if strings.HasPrefix(ref, KeyPrefix) {
		match = KeyMatch{Hash: sha256.Sum256([]byte(ref))}
	}
	revoked, err := s.Keys.RevokeAPIKeys(ctx, match, s.Now())
	if err != nil {
		return nil, fmt.Errorf("revoke API keys: %w", err)
	}
	if len(revoked) == 0 {
		return nil, fault.New(fault.NotFound, "no API key that is still valid has this id, name or text; `flowwd apikey list` shows them")
	}
	return revoked, nil
}

// authenticateKey returns the principal behind an API key.
func (s *Service) authenticateKey(ctx context.Context, key string) (Principal, error) {
	p, err := s.Keys.PrincipalByKeyHash(ctx, sha256.Sum256([]byte(key)), s.Now())
	if fault.Is(err, fault.NotFound) {
		return Principal{}, fault.New(fault.Unauthenticated, "Invalid API key")
	}
	if err != nil {
		return Principal{}, fmt.Errorf("look up an API key: %w", err)
	}
	return p, nil
}

func newKeyText() (string, error) {
	b := make([]byte, 0, len(KeyPrefix)+keyRandom)
	b = append(b, KeyPrefix...)
	letters := big.NewInt(int64(len(keyAlphabet)))
	for range keyRandom {
		n, err := rand.Int(rand.Reader, letters)
		if err != nil {
			return "", err
		}
		b = append(b, keyAlphabet[n.Int64()])
	}
	return string(b), nil
}
