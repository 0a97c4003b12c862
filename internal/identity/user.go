package identity

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// User is a person. Provider and Subject are their identity; e-mail and names
// are what the provider says and never identify anybody.
type User struct {
	ID                id.ID
	Provider, Subject string
	// Login is what the person types to log in with a password, in lower case;
	// empty where there is no password.
	Login string
	Profile
	// Admin is the stored approval as an administrator; the list in the settings
	// is another.
	Admin                bool
	CreatedAt, UpdatedAt time.Time
	// SeenAt is when a login of the person was last used, to the minute.
	SeenAt, DisabledAt *time.Time
}

// Profile is what a provider says about a person. Empty texts are unknown.
type Profile struct {
	// Username is for the name of the person's organization alone and is not
	// kept.
	Username                   string
	Email, FirstName, LastName string
}

// What fits the profile of a user, in characters.
const (
	maxEmail = 320
	maxName  = 255
)

// tidy returns p without what can't be stored: a provider says what it likes.
func (p Profile) tidy() Profile {
	return Profile{
		Username: tidyText(p.Username, maxName), Email: tidyText(p.Email, maxEmail),
		FirstName: tidyText(p.FirstName, maxName), LastName: tidyText(p.LastName, maxName),
	}
}

// tidyText leaves out a text that is too long: a part of an address is another
// address.
func tidyText(text string, limit int) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text))
	if utf8.RuneCountInString(text) > limit {
		return ""
	}
	return text
}

// adding returns what p, which is older than what is known, adds to that.
func (p Profile) adding(known Profile) Profile {
	for _, f := range []struct {
		said  *string
		known string
	}{{&p.Email, known.Email}, {&p.FirstName, known.FirstName}, {&p.LastName, known.LastName}} {
		if f.known != "" {
			*f.said = ""
		}
	}
	return p
}

// Label names the user for people.
func (u User) Label() string {
	for _, text := range []string{u.Email, u.Login, strings.TrimSpace(u.FirstName + " " + u.LastName), u.Subject} {
		if text != "" {
			return text
		}
	}
	return u.ID.String()
}

// Identity is what a valid credential of a provider says.
type Identity struct {
	// Provider is the Way's name.
	Provider string
	Subject  string
	Profile  Profile
	// At is when the provider said so; zero for now. What is older than what is
	// stored changes no profile.
	At time.Time
}

// Arrival is a user to be made at the first sight of an identity, with all that
// comes with it.
type Arrival struct {
	User User
	// Organization and Namespace are made for the user, who becomes the owner,
	// unless the user joins the default organization.
	Organization tenant.Organization
	Namespace    tenant.Namespace
	// JoinDefault has every user join the default organization instead of
	// getting one, with JoinRole; the first one becomes its owner.
	JoinDefault bool
	JoinRole    tenant.Role
}

// UserStore keeps people. Each method is one atomic unit.
type UserStore interface {
	// PrincipalByIdentity returns the user with this provider and subject;
	// fault.NotFound when there is none and fault.Denied when it is disabled. It
	// notes the use, but not more often than once a minute.
	PrincipalByIdentity(ctx context.Context, provider, subject string, now time.Time) (Principal, error)
	// PrincipalByUser does the same by the user's id.
	PrincipalByUser(ctx context.Context, user id.ID, now time.Time) (Principal, error)
	// Welcome makes the user of an arrival, unless there is one with its
	// provider and subject, and returns whoever is there then. The first user of
	// all becomes the owner of the default organization, if that has no members,
	// and gets no other.
	Welcome(ctx context.Context, a Arrival) (Principal, error)
	// UpdateProfile stores what a later login says of a user; empty texts leave
	// what is there.
	UpdateProfile(ctx context.Context, user id.ID, p Profile, at time.Time) error
	// User returns a user; fault.NotFound when there is none.
	User(ctx context.Context, user id.ID) (User, error)
	// CountUsers returns how many users there are.
	CountUsers(ctx context.Context) (int, error)
}
