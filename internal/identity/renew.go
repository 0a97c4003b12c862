package identity

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
)

// renew asks the provider whether a login still stands. A provider that says no
// ends the session; one that does not answer is waited for within renewGrace.
func (s *Sessions) renew(ctx context.Context, session Session, p Principal) error {
	// Those who wait share the answer, so none of them can take it along when it
	// hangs up.
	shared := context.WithoutCancel(ctx)
	answer := s.renewals.DoChan(session.ID.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(shared, renewTimeout)
		defer cancel()
		return nil, s.renewOnce(ctx, session, p)
	})
	var err error
	select {
	case got := <-answer:
		err = got.Err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil || fault.Is(err, fault.Unauthenticated) {
		return err
	}
	if s.Now().Before(session.Until.Add(renewGrace)) {
		return nil
	}
	f := fault.Because(err, fault.Unavailable, "The provider that you logged in with does not answer now; try again in a moment")
	f.RetryAfter = renewPause
	return f
}

func (s *Sessions) renewOnce(ctx context.Context, session Session, p Principal) error {
	now := s.Now()
	mine, err := s.Store.ClaimRenewal(ctx, session.ID, *session.Until, now, now.Add(-renewPause))
	if err != nil {
		return err
	}
	if !mine {
		return s.renewed(ctx, session)
	}
	if s.Browser == nil {
		return s.refuse(ctx, session, "the way to log in has changed since")
	}
	tokens, err := s.Sealer.Open(session.Tokens)
	if err != nil {
		return s.refuse(ctx, session, "its tokens can't be read with the keys of this installation")
	}
	login, err := s.Browser.Refresh(ctx, tokens)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return s.refuse(ctx, session, "the provider ended the login")
	case err != nil:
		s.Log.WarnContext(ctx, "a provider can't be asked about a login now", "user", p.ID, "error", err)
		return err
	case login.Identity.Subject != "" && login.Identity.Subject != p.User.Subject:
		return s.refuse(ctx, session, "the provider names somebody else")
	}
	sealed, until, err := s.seal(login)
	if err != nil {
		return err
	}
	return s.Store.RenewSession(ctx, session.ID, sealed, until)
}

// renewed reports how it stands with a session that somebody else renews.
func (s *Sessions) renewed(ctx context.Context, session Session) error {
	now := s.Now()
	got, _, _, err := s.Store.PrincipalBySession(ctx, session.Hash, SessionUse{Now: now, ExpiresAt: now.Add(SessionTTL)})
	switch {
	case fault.Is(err, fault.NotFound):
		return errSessionEnded()
	case err != nil:
		return err
	case got.due(now):
		return fault.New(fault.Unavailable, "somebody else asks the provider, or did a moment ago")
	}
	return nil
}

// refuse ends a session that its provider no longer stands for.
func (s *Sessions) refuse(ctx context.Context, session Session, why string) error {
	s.Log.InfoContext(ctx, "a session ends", "user", session.UserID, "reason", why)
	ctx = audit.WithActor(ctx, audit.Actor{Kind: audit.KindSystem})
	if _, err := s.Store.EndSession(ctx, session.UserID, session.ID, false); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return errSessionEnded()
}

// due reports whether the provider must be asked about a session.
func (s Session) due(now time.Time) bool { return s.Until != nil && !now.Before(*s.Until) }
