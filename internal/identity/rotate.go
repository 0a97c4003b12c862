package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// How long a key goes on working beside the one that follows it.
const (
	DefaultOverlap = 24 * time.Hour
	MaxOverlap     = 30 * 24 * time.Hour
)

// Rotation has a key followed by another one.
type Rotation struct {
	AccountID, KeyID id.ID
	// Next is what follows. Its name and scope are those of the old key, and so
	// is its end when it has none.
	Next APIKey
	// Until is when the old key stops working, if it does not do so earlier.
	Until time.Time
}

// Rotate makes a key that follows another one, and returns its text, which is
// not kept. The other one works for the overlap, so that it can be replaced
// where it is used. ends is when the new key expires; nil for when the old one
// would have.
func (s *Service) Rotate(ctx context.Context, by Principal, a Account, key id.ID, overlap time.Duration, ends *time.Time) (text string, old, next APIKey, err error) {
	if overlap < 0 || overlap > MaxOverlap {
		return "", old, next, fault.New(fault.Invalid, "the overlap must be 0 to %d seconds (30 days)", int(MaxOverlap.Seconds()))
	}
	if err := checkAccountRole(by, a.OrganizationID, a.Role); err != nil {
		return "", old, next, err
	}
	text, made, err := s.newKey(a, KeyRequest{Name: "-", ExpiresAt: ends})
	if err != nil {
		return "", old, next, err
	}
	made.CreatedByID = by.ID
	old, next, err = s.Keys.RotateKey(ctx, Rotation{AccountID: a.ID, KeyID: key, Next: made, Until: made.CreatedAt.Add(overlap)})
	if err != nil {
		return "", old, next, fmt.Errorf("rotate an API key: %w", err)
	}
	return text, old, next, nil
}

// Follow returns both keys of a rotation as they are to be stored, from the old
// one as it is; fault.Invalid when that one can't be followed.
func (r Rotation) Follow(key APIKey) (old, next APIKey, err error) {
	at := r.Next.CreatedAt
	switch {
	case key.RevokedAt != nil:
		return old, next, ErrRevoked()
	case !key.ReplacedByID.IsZero():
		return old, next, fault.New(fault.Invalid, "API key is already replaced; rotate the key that follows it")
	case !key.Works(at):
		return old, next, fault.New(fault.Invalid, "API key has expired; make a new one")
	}
	old, next = key, r.Next
	next.Name, next.Scope = old.Name, old.Scope
	if next.ExpiresAt == nil {
		next.ExpiresAt = old.ExpiresAt
	}
	old.ReplacedByID = next.ID
	if old.ExpiresAt == nil || r.Until.Before(*old.ExpiresAt) {
		old.ExpiresAt = &r.Until
	}
	return old, next, nil
}

// ErrRevoked refuses what needs a key that works. Clients compare the text.
func ErrRevoked() error { return fault.New(fault.Invalid, "API key is already revoked") }
