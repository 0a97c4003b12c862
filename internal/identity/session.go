package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/id"
)

const (
	// SessionTTL is how long a session lives without being used.
	SessionTTL = 30 * 24 * time.Hour
	// MaxSessions is how many sessions a user can have; the oldest go.
	MaxSessions = 100
	// maxUserAgent bounds what is kept of a browser's name for itself, in bytes.
	maxUserAgent = 255
)

// Session is a browser that is logged in. Its cookie is given out once; only
// its hash is kept.
type Session struct {
	ID, UserID id.ID
	Hash       [sha256.Size]byte
	// Address and UserAgent are those of the login.
	Address, UserAgent           string
	CreatedAt, SeenAt, ExpiresAt time.Time
	// Tokens is what the provider gave, encrypted; nil when it need not be asked
	// again.
	Tokens []byte
	// Until is when the provider must be asked again; nil for never.
	Until *time.Time
	// ProviderSession is the provider's name for the session; empty for none.
	ProviderSession string
}

// SessionUse is one use of a session.
type SessionUse struct {
	Now time.Time
	// ExpiresAt is when a session that is used now expires.
	ExpiresAt time.Time
}

// SessionStore keeps sessions. Each method is one atomic unit.
type SessionStore interface {
	// CreateSession stores a session. It ends the one with the hash replaced (no
	// matter whose), and the user's oldest ones beyond keep.
	CreateSession(ctx context.Context, s Session, replaced [sha256.Size]byte, keep int) error
	// PrincipalBySession returns a session that has not expired, with its Tokens
	// only when it is time to ask the provider, and its user;
	// fault.NotFound when there is none and fault.Denied when the user is
	// disabled. It notes the use and moves the expiry, but not more often than
	// once a minute, and reports whether it did.
	PrincipalBySession(ctx context.Context, hash [sha256.Size]byte, use SessionUse) (s Session, p Principal, noted bool, err error)
	// ClaimRenewal lets one caller ask the provider again: it reports whether the
	// session still ends at until and nobody has claimed that since stale.
	ClaimRenewal(ctx context.Context, session id.ID, until, now, stale time.Time) (bool, error)
	// RenewSession stores what the provider answered; nil tokens leave those that
	// are there.
	RenewSession(ctx context.Context, session id.ID, tokens []byte, until *time.Time) error
	// Sessions returns a user's sessions that have not expired, the newest first.
	Sessions(ctx context.Context, user id.ID, now time.Time, limit int) ([]Session, error)
	// EndSession ends a session of a user; fault.NotFound when there is none. Out
	// says that the user logs out there, which ends the user's command lines'
	// logins too (L3 of identity-realtime-admin.md), and not from elsewhere.
	EndSession(ctx context.Context, user, session id.ID, out bool) (Session, error)
	// EndSessions ends all sessions of a user but one and returns how many those
	// were.
	EndSessions(ctx context.Context, user, but id.ID) (int, error)
}

// NewToken returns 32 random bytes as text, and the hash that is kept of it. So
// many random bits need no slow hash.
func NewToken() (text string, hash [sha256.Size]byte) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	text = base64.RawURLEncoding.EncodeToString(raw[:])
	return text, HashToken(text)
}

// HashToken returns what is kept of a token.
func HashToken(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// Visitor is the browser that somebody logs in with.
type Visitor struct {
	Address, UserAgent string
	// Cookie is the session that the browser had before; empty for none.
	Cookie string
}

// shortText cuts a text after at most limit bytes, between characters.
func shortText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
