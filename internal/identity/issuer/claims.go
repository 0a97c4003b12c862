package issuer

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/usefloww/flowwd/internal/identity"
)

// Claims is what a valid token says. Texts that it does not say are empty.
type Claims struct {
	Subject  string
	Audience []string
	// AuthorizedParty is the client that the token was given to.
	AuthorizedParty   string
	IssuedAt, Expires time.Time
	SessionID, Nonce  string
	Profile           identity.Profile
}

func claimsOf(said jwt.MapClaims) (Claims, error) {
	if _, event := said["events"]; event {
		// A logout token (OpenID Connect Back-Channel Logout, 2.4) is signed by
		// the same issuer for the same audience.
		return Claims{}, errors.New("the token tells of an event")
	}
	c := Claims{
		Subject: text(said, "sub"), AuthorizedParty: text(said, "azp"), SessionID: text(said, "sid"), Nonce: text(said, "nonce"),
		Profile: ProfileOf(said),
	}
	if !validSubject(c.Subject) {
		return Claims{}, errors.New("the token has no usable subject")
	}
	audience, err := said.GetAudience()
	if err != nil {
		return Claims{}, err
	}
	expires, err := said.GetExpirationTime()
	if err != nil {
		return Claims{}, err
	}
	c.Audience, c.Expires = audience, expires.Time
	if issued, err := said.GetIssuedAt(); err == nil && issued != nil {
		c.IssuedAt = issued.Time
	}
	return c, nil
}

// ProfileOf returns what standard claims say of a person (OpenID Connect Core,
// 5.1).
func ProfileOf(said map[string]any) identity.Profile {
	p := identity.Profile{
		Username: text(said, "preferred_username"), Email: text(said, "email"),
		FirstName: text(said, "given_name"), LastName: text(said, "family_name"),
	}
	if p.FirstName == "" && p.LastName == "" {
		p.FirstName = text(said, "name")
	}
	return p
}

func text(said map[string]any, name string) string {
	s, _ := said[name].(string)
	return s
}
