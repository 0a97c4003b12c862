package password

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// Hash is what is kept of the token of a link.
type Hash = [sha256.Size]byte

// Link is one that works once. The zero UserID makes the first account; another
// one lets that user choose a password.
type Link struct {
	Hash                 Hash
	UserID               id.ID
	CreatedAt, ExpiresAt time.Time
}

// Store keeps what people log in with. Each method is one atomic unit.
type Store interface {
	// UserByLogin returns a user and the hash of the password, which is empty when
	// there is none yet; fault.NotFound when nobody has the login.
	UserByLogin(ctx context.Context, login string) (identity.User, string, error)
	// PasswordOf returns the hash of a user's password; empty for none.
	PasswordOf(ctx context.Context, user id.ID) (string, error)
	// HasAccounts reports whether there is a user of this way.
	HasAccounts(ctx context.Context) (bool, error)
	// CreateLink stores a link; one to choose a password takes the place of those
	// that the user has. By an administrator or by the server itself.
	CreateLink(ctx context.Context, l Link) error
	// LinkUser returns whom a link lets choose a password; fault.NotFound when
	// there is no such link or it is over.
	LinkUser(ctx context.Context, link Hash, now time.Time) (identity.User, error)
	// CheckSetUpLink returns nil when a link makes the first account, and
	// fault.NotFound when it does not.
	CheckSetUpLink(ctx context.Context, link Hash, now time.Time) error
	// SetUp makes the first account and uses the link up; nil for whoever starts
	// the server. fault.Conflict says that there is one already, fault.NotFound
	// that there is no such link. One of several callers wins.
	SetUp(ctx context.Context, a identity.Arrival, password string, link *Hash) (identity.Principal, error)
	// CreateAccount makes a user without a password, with a link to choose one.
	// fault.Conflict says that somebody has the login.
	CreateAccount(ctx context.Context, a identity.Arrival, l Link) (identity.Principal, error)
	// ChoosePassword stores the password of the user of a link, uses the link up
	// and ends what the user is logged in with; fault.NotFound when there is no
	// such link.
	ChoosePassword(ctx context.Context, link Hash, password string, now time.Time) (identity.Principal, error)
	// ChangePassword stores another password in place of the one that was read,
	// and ends what the user is logged in with but one session. fault.Conflict
	// says that it was changed meanwhile.
	ChangePassword(ctx context.Context, user id.ID, old, password string, but id.ID, now time.Time) error
}
