package workos

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

const (
	// profileTimeout bounds what a first request waits for a name.
	profileTimeout = 3 * time.Second
	// askAgain is how long nobody asks again for a person whom WorkOS did not tell
	// about.
	askAgain = 5 * time.Minute
	// restAfterFailure keeps a WorkOS that hangs from making every first request
	// wait.
	restAfterFailure = 30 * time.Second
	maxUnknown       = 10_000
)

var errAskedLately = errors.New("WorkOS did not say who this is a short time ago")

// profiles remembers of whom WorkOS knew nothing, and until when not to ask
// again.
type profiles struct {
	now   func() time.Time
	until *issuer.Recent[string, time.Time]
}

// everybody is in the place of a subject while WorkOS does not answer at all.
const everybody = ""

func (p profiles) resting(subject string) bool {
	until, _ := p.until.Get(subject)
	return p.now().Before(until)
}

// Profile implements identity.Profiler.
func (w *Way) Profile(ctx context.Context, subject string) (identity.Profile, error) {
	if w.profiles.resting(subject) || w.profiles.resting(everybody) {
		return identity.Profile{}, errAskedLately
	}
	ctx, cancel := context.WithTimeout(ctx, profileTimeout)
	defer cancel()
	var u user
	err := w.api.call(ctx, http.MethodGet, "/user_management/users/"+url.PathEscape(subject), nil, nil, &u)
	switch {
	case err == nil && u.Email != "":
		return u.profile(), nil
	case fault.Is(err, fault.Unavailable):
		w.profiles.until.Put(everybody, w.profiles.now().Add(restAfterFailure))
	default:
		w.profiles.until.Put(subject, w.profiles.now().Add(askAgain))
	}
	return u.profile(), err
}
