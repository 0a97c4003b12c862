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
	"github.com/usefloww/flowwd/internal/tenant"
)

// The form of an API key: identity-realtime-admin.md 1.7 of the wire contract.
const (
	KeyPrefix      = "floww_sa_"
	keyRandom      = 32
	keyAlphabet    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	shownKeyPrefix = len(KeyPrefix) + 3
)

const (
	// MaxKeys bounds a listing of the keys of all accounts.
	MaxKeys = 1000
	// MaxAccountKeys is how many keys are kept of a service account. One more
	// takes the place of the one that stopped working first.
	MaxAccountKeys = 50
	// maxKeyLife is how far away the end of a key may be.
	maxKeyLife = 10 * 366 * 24 * time.Hour
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
	Hash [sha256.Size]byte
	// Scope narrows what the key may do of what its account may; nil for all.
	Scope *Scope
	// CreatedByID is zero for keys that the command line made.
	CreatedByID id.ID
	CreatedAt   time.Time
	LastUsedAt  *time.Time
	// ExpiresAt is when the key stops working; nil for never.
	ExpiresAt *time.Time
	RevokedAt *time.Time
	// ReplacedByID is the key that was made to follow this one; zero for none.
	ReplacedByID id.ID
	// Role is the one of the account, where a listing shows keys without it.
	Role tenant.Role
}

// EndedAt returns when the key stopped working, or will; nil for never.
func (k APIKey) EndedAt() *time.Time {
	if k.ExpiresAt == nil || k.RevokedAt != nil && k.RevokedAt.Before(*k.ExpiresAt) {
		return k.RevokedAt
	}
	return k.ExpiresAt
}

// Works reports whether the key opens anything at a time.
func (k APIKey) Works(now time.Time) bool {
	end := k.EndedAt()
	return end == nil || now.Before(*end)
}

// KeyStore keeps service accounts and their keys. Each method is one atomic
// unit.
type KeyStore interface {
	AccountStore
	// AddKey stores a key of an account that exists. When it has limit keys, the
	// one that stopped working first goes; fault.Conflict when all still work.
	// fault.NotFound as with CreateServiceAccount.
	AddKey(ctx context.Context, key APIKey, limit int) error
	// RotateKey stores the key that follows another one and returns both.
	// fault.NotFound when there is no such key, fault.Invalid when it has ended
	// or is followed already.
	RotateKey(ctx context.Context, r Rotation) (old, next APIKey, err error)
	// RevokeKey revokes a key of an account; fault.NotFound when there is none,
	// fault.Invalid when it is revoked already.
	RevokeKey(ctx context.Context, account, key id.ID, at time.Time) (APIKey, error)
	// APIKeys returns all keys, newest first, at most limit.
	APIKeys(ctx context.Context, limit int) ([]APIKey, error)
	// RevokeAPIKeys revokes the keys that match and are not revoked yet, and
	// returns them.
	RevokeAPIKeys(ctx context.Context, match KeyMatch, at time.Time) ([]APIKey, error)
	// PrincipalByKeyHash returns the owner of the key with this hash;
	// fault.NotFound when there is none or it is revoked, fault.Unauthenticated
	// when it has expired. It notes the use of the key, but not more often than
	// once a minute.
	PrincipalByKeyHash(ctx context.Context, hash [sha256.Size]byte, now time.Time) (Principal, error)
}

// KeyMatch names keys: those with this id, or this name, or this hash. Fields
// left zero match nothing.
type KeyMatch struct {
	ID   id.ID
	Name string
	Hash [sha256.Size]byte
}

// KeyRequest is what somebody wants a key to be.
type KeyRequest struct {
	Name string
	// Scope is nil for all that the account may.
	Scope *Scope
	// ExpiresAt is nil for never.
	ExpiresAt *time.Time
}

// CreateKey makes a service account with one key in an organization, for the
// operator of the machine, and returns the key's text, which is not kept.
func (s *Service) CreateKey(ctx context.Context, organization id.ID, role tenant.Role, r KeyRequest) (string, APIKey, error) {
	if err := accountRole(role); err != nil {
		return "", APIKey{}, err
	}
	a := Account{ID: s.IDs.New(), OrganizationID: organization, Role: role, CreatedAt: s.Now()}
	text, key, err := s.newKey(a, r)
	if err != nil {
		return "", APIKey{}, err
	}
	a.Name, a.Keys = key.Name, []APIKey{key}
	if err := s.Keys.CreateServiceAccount(ctx, a, 0); err != nil {
		return "", APIKey{}, fmt.Errorf("store an API key: %w", err)
	}
	return text, key, nil
}

// AddKey makes a key of a service account and returns its text, which is not
// kept.
func (s *Service) AddKey(ctx context.Context, by Principal, a Account, r KeyRequest) (string, APIKey, error) {
	if err := checkAccountRole(by, a.OrganizationID, a.Role); err != nil {
		return "", APIKey{}, err
	}
	text, key, err := s.newKey(a, r)
	if err != nil {
		return "", APIKey{}, err
	}
	key.CreatedByID = by.ID
	if err := s.Keys.AddKey(ctx, key, MaxAccountKeys); err != nil {
		return "", APIKey{}, fmt.Errorf("store an API key: %w", err)
	}
	return text, key, nil
}

// newKey makes a key that is not stored yet.
func (s *Service) newKey(a Account, r KeyRequest) (string, APIKey, error) {
	name := strings.TrimSpace(r.Name)
	if err := checkName("an API key", name); err != nil {
		return "", APIKey{}, err
	}
	now := s.Now()
	if err := checkExpiry(r.ExpiresAt, now); err != nil {
		return "", APIKey{}, err
	}
	text, err := newKeyText()
	if err != nil {
		return "", APIKey{}, fmt.Errorf("make an API key: %w", err)
	}
	return text, APIKey{
		ID:               s.IDs.New(),
		ServiceAccountID: a.ID,
		OrganizationID:   a.OrganizationID,
		Name:             name,
		Prefix:           text[:shownKeyPrefix],
		Hash:             sha256.Sum256([]byte(text)),
		Scope:            r.Scope,
		CreatedAt:        now,
		ExpiresAt:        r.ExpiresAt,
	}, nil
}

func checkExpiry(at *time.Time, now time.Time) error {
	switch {
	case at == nil:
		return nil
	case !at.After(now):
		return fault.New(fault.Invalid, "the end of an API key must be in the future")
	case at.After(now.Add(maxKeyLife)):
		return fault.New(fault.Invalid, "the end of an API key must be within 10 years; leave it out for a key that does not end")
	}
	return nil
}

// ListKeys returns all keys, newest first, at most MaxKeys.
func (s *Service) ListKeys(ctx context.Context) ([]APIKey, error) {
	return s.Keys.APIKeys(ctx, MaxKeys)
}

// RevokeKey revokes a key of a service account.
func (s *Service) RevokeKey(ctx context.Context, account, key id.ID) (APIKey, error) {
	return s.Keys.RevokeKey(ctx, account, key, s.Now())
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
