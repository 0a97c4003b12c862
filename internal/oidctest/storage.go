package oidctest

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// tokenLife is that of access tokens.
const tokenLife = 5 * time.Minute

// storage is what the provider keeps. What it embeds is nil: a method that is
// not here is one that no test needs.
type storage struct {
	op.Storage
	p *Provider
}

// login is an authorization request and what came of it; it implements
// op.AuthRequest and op.RefreshTokenRequest.
type login struct {
	*oidc.AuthRequest
	id     string
	code   string
	person Person
	done   bool
	at     time.Time
}

func (l *login) GetID() string                      { return l.id }
func (l *login) GetACR() string                     { return "" }
func (l *login) GetAMR() []string                   { return []string{"pwd"} }
func (l *login) GetAudience() []string              { return []string{ClientID} }
func (l *login) GetAuthTime() time.Time             { return l.at }
func (l *login) GetClientID() string                { return l.ClientID }
func (l *login) GetNonce() string                   { return l.Nonce }
func (l *login) GetRedirectURI() string             { return l.RedirectURI }
func (l *login) GetScopes() []string                { return l.Scopes }
func (l *login) GetState() string                   { return l.State }
func (l *login) GetSubject() string                 { return l.person.Subject }
func (l *login) SetCurrentScopes([]string)          {}
func (l *login) Done() bool                         { return l.done }
func (l *login) GetResponseType() oidc.ResponseType { return l.ResponseType }
func (l *login) GetResponseMode() oidc.ResponseMode { return l.ResponseMode }
func (l *login) GetCodeChallenge() *oidc.CodeChallenge {
	if l.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: l.CodeChallenge, Method: l.CodeChallengeMethod}
}

func (s *storage) CreateAuthRequest(_ context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	l := &login{AuthRequest: r, id: rand.Text(), at: time.Now()}
	s.p.logins[l.id] = l
	return l, nil
}

// find returns a copy of the login that meets a condition.
func (s *storage) find(met func(*login) bool) (op.AuthRequest, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, l := range s.p.logins {
		if met(l) {
			found := *l
			return &found, nil
		}
	}
	return nil, errNotFound
}

func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	return s.find(func(l *login) bool { return l.id == id })
}

func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	return s.find(func(l *login) bool { return l.code == code })
}

func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.logins[id].code = code
	return nil
}

func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	delete(s.p.logins, id)
	return nil
}

func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.newAccess(r.(*login)), time.Now().Add(tokenLife), nil
}

func (s *storage) newAccess(l *login) string {
	id := rand.Text()
	s.p.access[id] = l.person
	return id
}

// CreateAccessAndRefreshTokens rotates the refresh token.
func (s *storage) CreateAccessAndRefreshTokens(_ context.Context, r op.TokenRequest, current string) (string, string, time.Time, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	l := r.(*login)
	next := rand.Text()
	delete(s.p.refresh, current)
	s.p.refresh[next] = l
	return s.newAccess(l), next, time.Now().Add(tokenLife), nil
}

func (s *storage) TokenRequestByRefreshToken(_ context.Context, token string) (op.RefreshTokenRequest, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if l := s.p.refresh[token]; l != nil {
		return l, nil
	}
	return nil, op.ErrInvalidRefreshToken
}

func (s *storage) GetRefreshTokenInfo(_ context.Context, _, token string) (string, string, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if l := s.p.refresh[token]; l != nil {
		return l.person.Subject, token, nil
	}
	return "", "", op.ErrInvalidRefreshToken
}

func (s *storage) RevokeToken(_ context.Context, token, _, _ string) *oidc.Error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	delete(s.p.refresh, token)
	s.p.ended++
	return nil
}

func (s *storage) TerminateSession(_ context.Context, user, _ string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.ended++
	for token, l := range s.p.refresh {
		if l.person.Subject == user {
			delete(s.p.refresh, token)
		}
	}
	return nil
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.keys[len(s.p.keys)-1], nil
}

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	var all []op.Key
	for _, k := range s.p.keys {
		all = append(all, publicKey{k})
	}
	return all, nil
}

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if id != ClientID {
		return nil, errNotFound
	}
	return &client{returns: slices.Clone(s.p.returns)}, nil
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != ClientID || secret != ClientSecret {
		return errNotFound
	}
	return nil
}

// SetUserinfoFromScopes leaves e-mail and names to the userinfo endpoint, as
// many providers do.
func (s *storage) SetUserinfoFromScopes(_ context.Context, info *oidc.UserInfo, user, _ string, _ []string) error {
	info.Subject = user
	return nil
}

func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, token, _, _ string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	who, ok := s.p.access[token]
	if !ok {
		return errNotFound
	}
	if s.p.confused != "" {
		who.Subject = s.p.confused
	}
	info.Subject, info.Email, info.GivenName, info.FamilyName = who.Subject, who.Email, who.GivenName, who.FamilyName
	return nil
}

func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return map[string]any{}, nil
}

func (s *storage) Health(context.Context) error { return nil }
