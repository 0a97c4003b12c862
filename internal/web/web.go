package web

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// Deps is what the pages work with. All fields but Passwords are
// required.
type Deps struct {
	// Way is how people log in.
	Way identity.Way
	// Logins makes sessions of what a provider says.
	Logins   Logins
	Sessions Sessions
	// Passwords are those that this server keeps; nil when the way is another.
	Passwords *password.Service
	// Flows seals what a browser carries while it is logging in.
	Flows    identity.Sealer
	Devices  Devices
	Tenants  Tenants
	Recorder *audit.Recorder
	// PublicURL returns the address of this server as people see it, without a
	// slash at its end.
	PublicURL func() string
	Logger    *slog.Logger
	Now       func() time.Time
	// Invitations are what links offer.
	Invitations Invitations
}

// Logins makes sessions of what a provider says.
type Logins interface {
	LogIn(ctx context.Context, login identity.Login, v identity.Visitor) (cookie string, err error)
}

// Sessions begins and ends sessions.
type Sessions interface {
	Begin(ctx context.Context, p identity.Principal, login identity.Login, v identity.Visitor) (cookie string, err error)
	LogOut(ctx context.Context, cookie, returnTo string) (redirect string, err error)
	List(ctx context.Context, user id.ID) ([]identity.Session, error)
	End(ctx context.Context, user, session id.ID) error
	EndOthers(ctx context.Context, user, but id.ID) (int, error)
}

// Tenants names organizations.
type Tenants interface {
	Organizations(ctx context.Context, ids []id.ID) ([]tenant.Organization, error)
}

// Register registers all pages. The error says what is wrong with them or
// missing in d; a server must not start then.
func Register(r *route.Router, d Deps) error {
	if d.Way == nil || d.Logins == nil || d.Sessions == nil || d.Flows == nil || d.Devices == nil || d.Tenants == nil || d.Recorder == nil ||
		d.PublicURL == nil || d.Invitations == nil || d.Logger == nil || d.Now == nil {
		return errors.New("web: a required field of Deps is missing")
	}
	ui.RegisterAssets(r)
	registerLogin(r, d)
	registerPasswords(r, d)
	registerDevice(r, d)
	registerAccount(r, d)
	registerInvite(r, d)
	return r.Err()
}
