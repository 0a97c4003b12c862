package registry

import (
	"net/http"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/token"
)

// Grant is what somebody may do with an organization's repository.
type Grant struct {
	Organization id.ID
	Push, Pull   bool
	// Only is the one tag that may be pushed, or the one digest or tag that may
	// be pulled; empty for all.
	Only string
}

// Allow returns nil when the grant allows a request. The error is an *Error.
func (g Grant) Allow(q Request) error {
	if q.Kind == Base {
		return nil
	}
	if g.Organization != q.Organization {
		// Whether others have a repository is nobody's business.
		return unknownName("repository %s not found", Repository(q.Organization))
	}
	switch {
	case q.Kind == Upload || q.Writes:
		if !g.Push {
			return denied("this credential may not push")
		}
		if q.Kind == Manifest && g.Only != "" && q.Reference != g.Only && !digestForm.MatchString(q.Reference) {
			return denied("this credential is for pushing the tag %s alone", g.Only)
		}
	case !q.Reads:
		// Who pushes must ask what is there already.
	case !g.Pull:
		return denied("this credential may not pull")
	case g.Only != "" && q.Kind == Tags:
		return denied("this credential is for one image alone")
	case g.Only != "" && q.Kind == Manifest && IsTag(q.Reference) && q.Reference != g.Only:
		return denied("this credential is for the image %s alone", g.Only)
	}
	return nil
}

func denied(format string, values ...any) *Error {
	return NewError(http.StatusForbidden, "DENIED", format, values...)
}

// The names in tokens: whom they are from and for.
const (
	TokenIssuer   = "flowwd"
	TokenAudience = "flowwd-registry"
)

// How long tokens can be used: a push of a large image over a slow line, and the
// time between asking for a token and using it.
const (
	PushLife  = time.Hour
	PullLife  = 15 * time.Minute
	LoginLife = 5 * time.Minute
)

// Tokens signs the credentials that are good for the registry alone.
type Tokens struct {
	Signer *token.Signer
	IDs    *id.Source
	Now    func() time.Time
}

// Issue returns a token for a grant.
func (t *Tokens) Issue(g Grant, life time.Duration) (text string, expires time.Time, err error) {
	now := t.Now()
	expires = now.Add(life)
	var may []string
	if g.Push {
		may = append(may, "push")
	}
	if g.Pull {
		may = append(may, "pull")
	}
	text, err = t.Signer.Sign(token.Claims{
		ID: t.IDs.New().String(), Subject: g.Organization.String(), Family: strings.Join(may, ",") + " " + g.Only, IssuedAt: now, ExpiresAt: expires,
	})
	return text, expires, err
}

// Check returns what a token was issued for.
func (t *Tokens) Check(text string) (Grant, time.Time, error) {
	claims, err := t.Signer.Verify(text)
	if err != nil {
		return Grant{}, time.Time{}, fault.Because(err, fault.Unauthenticated, "The registry's token is not valid, or has expired")
	}
	organization, err := id.Parse(claims.Subject)
	if err != nil {
		return Grant{}, time.Time{}, fault.Because(err, fault.Unauthenticated, "The registry's token is not valid")
	}
	g := Grant{Organization: organization}
	may, only, _ := strings.Cut(claims.Family, " ")
	for word := range strings.SplitSeq(may, ",") {
		g.Push, g.Pull = g.Push || word == "push", g.Pull || word == "pull"
	}
	g.Only = only
	return g, claims.ExpiresAt, nil
}
