package identity

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Sealer encrypts what the database holds.
type Sealer interface {
	Seal(text []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

const (
	// renewTimeout bounds one question to the provider.
	renewTimeout = 10 * time.Second
	// renewPause is how long nobody else asks the provider for a session after
	// somebody began to, on all servers: two answers to one refresh token would
	// end the login at many providers, and one that is down is not helped by
	// more questions.
	renewPause = 30 * time.Second
	// renewGrace is how long a session goes on while its provider is down.
	renewGrace = time.Hour
)

// Sessions begins, checks and ends browser sessions.
type Sessions struct {
	Store SessionStore
	// Browser renews sessions at their provider; nil when the way to log in has
	// none.
	Browser Browser
	Sealer  Sealer
	IDs     *id.Source
	Now     func() time.Time
	Log     *slog.Logger

	renewals singleflight.Group
}

// errSessionEnded says that a cookie is none of ours, or no longer.
func errSessionEnded() error {
	return fault.New(fault.Unauthenticated, "The session has ended; log in again")
}

// Begin logs a principal in with a browser and returns the cookie. The session
// that the browser had before ends, so that nobody can have prepared it.
func (s *Sessions) Begin(ctx context.Context, p Principal, login Login, v Visitor) (cookie string, err error) {
	now := s.Now()
	session := Session{
		ID: s.IDs.New(), UserID: p.ID, Address: v.Address, UserAgent: shortText(v.UserAgent, maxUserAgent),
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(SessionTTL), ProviderSession: login.SessionID,
	}
	if session.Tokens, session.Until, err = s.seal(login); err != nil {
		return "", err
	}
	cookie, session.Hash = NewToken()
	err = s.Store.CreateSession(AsActor(ctx, p), session, HashToken(v.Cookie), MaxSessions)
	if err != nil {
		return "", fmt.Errorf("begin a session: %w", err)
	}
	return cookie, nil
}

// AsActor has p do what is done in ctx, from where it was done before.
func AsActor(ctx context.Context, p Principal) context.Context {
	from, actor := audit.ActorOf(ctx), p.Actor()
	actor.Address, actor.RequestID = from.Address, from.RequestID
	return audit.WithActor(ctx, actor)
}

func (s *Sessions) seal(login Login) (tokens []byte, until *time.Time, err error) {
	if !login.Until.IsZero() {
		until = &login.Until
	}
	if len(login.Tokens) == 0 {
		return nil, until, nil
	}
	if tokens, err = s.Sealer.Seal(login.Tokens); err != nil {
		return nil, nil, fmt.Errorf("seal the tokens of a provider: %w", err)
	}
	return tokens, until, nil
}

// authenticate returns the principal behind a cookie.
func (s *Sessions) authenticate(ctx context.Context, cookie string) (Principal, error) {
	now := s.Now()
	session, p, noted, err := s.Store.PrincipalBySession(ctx, HashToken(cookie), SessionUse{Now: now, ExpiresAt: now.Add(SessionTTL)})
	if fault.Is(err, fault.NotFound) {
		return Principal{}, errSessionEnded()
	}
	if err != nil {
		return Principal{}, fmt.Errorf("look up a session: %w", err)
	}
	p.SessionID, p.Ambient, p.Slid = session.ID, true, noted
	if session.due(now) {
		if err := s.renew(ctx, session, p); err != nil {
			return Principal{}, err
		}
	}
	return p, nil
}

// List returns a user's sessions, the newest first.
func (s *Sessions) List(ctx context.Context, user id.ID) ([]Session, error) {
	return s.Store.Sessions(ctx, user, s.Now(), MaxSessions)
}

// End ends one session of a user, somewhere else.
func (s *Sessions) End(ctx context.Context, user, session id.ID) error {
	ended, err := s.Store.EndSession(ctx, user, session, false)
	if err != nil {
		return err
	}
	s.endAtProvider(ctx, ended, "")
	return nil
}

// EndOthers ends all sessions of a user but one, and returns how many those
// were. The providers' sessions that belong to them go on: they may be the one
// of the session that stays.
func (s *Sessions) EndOthers(ctx context.Context, user, but id.ID) (int, error) {
	return s.Store.EndSessions(ctx, user, but)
}

// LogOut ends the session behind a cookie, here and at its provider, and
// returns where the browser must go for that; empty when nothing is left to do
// or there was no session. ReturnTo is where the provider sends it back to.
func (s *Sessions) LogOut(ctx context.Context, cookie, returnTo string) (redirect string, err error) {
	now := s.Now()
	session, p, _, err := s.Store.PrincipalBySession(ctx, HashToken(cookie), SessionUse{Now: now, ExpiresAt: now.Add(SessionTTL)})
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up a session: %w", err)
	}
	ended, err := s.Store.EndSession(AsActor(ctx, p), session.UserID, session.ID, true)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("end a session: %w", err)
	}
	return s.endAtProvider(ctx, ended, returnTo), nil
}

// endAtProvider ends the provider's session where there is one. It has ended
// here already, so a failure there is only logged.
func (s *Sessions) endAtProvider(ctx context.Context, ended Session, returnTo string) (redirect string) {
	if s.Browser == nil || len(ended.Tokens) == 0 {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	tokens, err := s.Sealer.Open(ended.Tokens)
	if err == nil {
		redirect, err = s.Browser.End(ctx, tokens, returnTo)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "a session could not be ended at its provider; it has ended here", "user", ended.UserID, "error", err)
		return ""
	}
	return redirect
}
