package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/workflow"
)

const sessionColumns = `id, user_id, hash, address, user_agent, created_at, seen_at, expires_at, provider_tokens, provider_until, provider_session`

// sessionUseColumns are those for a request, with its time as an argument. The
// tokens come only when they are needed: they are large, and every membership of
// the user repeats them.
const sessionUseColumns = `, s.id, s.user_id, s.hash, s.address, s.user_agent, s.created_at, s.seen_at, s.expires_at,
	CASE WHEN s.provider_until <= ? THEN s.provider_tokens END, s.provider_until, s.provider_session`

func sessionTargets(s *identity.Session) []any {
	return []any{&s.ID, &s.UserID, (*workflow.Hash)(&s.Hash), &s.Address, &s.UserAgent, &s.CreatedAt, &s.SeenAt, &s.ExpiresAt,
		&s.Tokens, &s.Until, &s.ProviderSession}
}

func scanSession(scan scanner) (identity.Session, error) {
	var s identity.Session
	err := scan(sessionTargets(&s)...)
	return s, err
}

func sessionNotFound() error { return fault.New(fault.NotFound, "Session not found") }

func sessionTarget(session id.ID) audit.Target {
	return audit.Target{Type: "session", ID: session.String()}
}

// CreateSession implements identity.SessionStore.
func (s *Store) CreateSession(ctx context.Context, n identity.Session, replaced [sha256.Size]byte, keep int) error {
	return s.write(ctx, "create a session", func(t *tx) error {
		if _, err := t.exec(`DELETE FROM sessions WHERE hash = ?`, workflow.Hash(replaced)); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			n.ID, n.UserID, workflow.Hash(n.Hash), clean(n.Address), clean(n.UserAgent), n.CreatedAt, n.SeenAt, n.ExpiresAt,
			optionalBytes(n.Tokens), n.Until, optionalText(n.ProviderSession))
		if t.foreign(err) {
			return userNotFound()
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = ? ORDER BY id DESC LIMIT ? OFFSET ?)`,
			n.UserID, identity.MaxSessions, keep)
		s.record(ctx, t, audit.Entry{
			Action: audit.LogIn, Target: sessionTarget(n.ID),
			After: audit.Snapshot(map[string]any{"userId": n.UserID.String(), "userAgent": n.UserAgent}),
		})
		return err
	})
}

// optionalBytes stores no bytes as NULL.
func optionalBytes(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// PrincipalBySession implements identity.SessionStore.
func (s *Store) PrincipalBySession(ctx context.Context, hash [sha256.Size]byte, use identity.SessionUse) (found identity.Session, p identity.Principal, noted bool, err error) {
	err = s.glance(ctx, "look up a session", func(v *view) (err error) {
		exists := false
		found = identity.Session{}
		p, exists, err = readPrincipalOf(v, `sessions s JOIN users u ON u.id = s.user_id`, sessionUseColumns,
			`s.hash = ? AND s.expires_at > ?`, args{use.Now, workflow.Hash(hash), use.Now}, sessionTargets(&found)...)
		switch {
		case err != nil:
			return err
		case !exists:
			return sessionNotFound()
		}
		return refuseDisabled(p.User)
	})
	if err != nil {
		return identity.Session{}, identity.Principal{}, false, err
	}
	if old := use.Now.Add(-useInterval); !found.SeenAt.After(old) {
		noted = true
		s.noteUse(ctx, "note the use of a session",
			`UPDATE sessions SET seen_at = ?, expires_at = ? WHERE id = ? AND seen_at <= ?`, use.Now, use.ExpiresAt, found.ID, old)
		s.noteUse(ctx, "note the use of a login",
			`UPDATE users SET seen_at = ? WHERE id = ? AND (seen_at IS NULL OR seen_at <= ?)`, use.Now, p.ID, old)
	}
	return found, p, noted, nil
}

// ClaimRenewal implements identity.SessionStore.
func (s *Store) ClaimRenewal(ctx context.Context, session id.ID, until, now, stale time.Time) (claimed bool, err error) {
	err = s.write(ctx, "claim the renewal of a session", func(t *tx) error {
		n, err := t.exec(`
			UPDATE sessions SET renewing_at = ? WHERE id = ? AND provider_until = ? AND (renewing_at IS NULL OR renewing_at <= ?)`,
			now, session, until, stale)
		claimed = n > 0
		return err
	})
	return claimed, err
}

// RenewSession implements identity.SessionStore.
func (s *Store) RenewSession(ctx context.Context, session id.ID, tokens []byte, until *time.Time) error {
	return s.write(ctx, "renew a session", func(t *tx) error {
		_, err := t.exec(`
			UPDATE sessions SET provider_tokens = COALESCE(?, provider_tokens), provider_until = ?, renewing_at = NULL WHERE id = ?`,
			optionalBytes(tokens), until, session)
		return err
	})
}

// Sessions implements identity.SessionStore.
func (s *Store) Sessions(ctx context.Context, user id.ID, now time.Time, limit int) ([]identity.Session, error) {
	var found []identity.Session
	err := s.read(ctx, "list sessions", func(v *view) error {
		return v.each(`SELECT `+sessionColumns+` FROM sessions WHERE user_id = ? AND expires_at > ? ORDER BY id DESC LIMIT ?`,
			args{user, now, limit}, func(scan scanner) error {
				one, err := scanSession(scan)
				found = append(found, one)
				return err
			})
	})
	return found, err
}

// EndSession implements identity.SessionStore.
func (s *Store) EndSession(ctx context.Context, user, session id.ID, out bool) (ended identity.Session, err error) {
	err = s.write(ctx, "end a session", func(t *tx) error {
		ended = identity.Session{}
		if err := t.save(); err != nil {
			return err
		}
		err := t.each(`DELETE FROM sessions WHERE user_id = ? AND id = ? RETURNING `+sessionColumns,
			args{user, session}, func(scan scanner) (err error) {
				ended, err = scanSession(scan)
				return err
			})
		if err == nil && ended.ID.IsZero() {
			err = sessionNotFound()
		}
		if err != nil {
			return err
		}
		t.notices.principals[user] = true
		action := audit.RevokeSession
		if out {
			action = audit.LogOut
		}
		s.record(ctx, t, audit.Entry{
			Action: action, Target: sessionTarget(session), Before: audit.Snapshot(map[string]any{"userId": user.String()}),
		})
		if out {
			_, err = s.endDevices(ctx, t, user, 0)
		}
		return err
	})
	return ended, err
}

// EndSessions implements identity.SessionStore.
func (s *Store) EndSessions(ctx context.Context, user, but id.ID) (n int, err error) {
	err = s.write(ctx, "end sessions", func(t *tx) error {
		n, err = s.endSessions(ctx, t, user, but)
		return err
	})
	return n, err
}

// endSessions ends all sessions of a user but one; the zero id spares none.
func (s *Store) endSessions(ctx context.Context, t *tx, user, but id.ID) (int, error) {
	var ended []id.ID
	if err := t.save(); err != nil {
		return 0, err
	}
	err := t.each(`DELETE FROM sessions WHERE user_id = ? AND id <> ? RETURNING id`, args{user, edge(but)}, func(scan scanner) error {
		var one id.ID
		err := scan(&one)
		ended = append(ended, one)
		return err
	})
	if len(ended) > 0 {
		t.notices.principals[user] = true
	}
	for _, session := range ended {
		s.record(ctx, t, audit.Entry{
			Action: audit.RevokeSession, Target: sessionTarget(session), Before: audit.Snapshot(map[string]any{"userId": user.String()}),
		})
	}
	return len(ended), err
}

// logins removes what lets nobody in any more.
func (p *purge) logins() error {
	for what, statement := range map[string]string{
		"purge sessions":       `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT ?)`,
		"purge one-time links": `DELETE FROM one_time_links WHERE hash IN (SELECT hash FROM one_time_links WHERE expires_at <= ? LIMIT ?)`,
	} {
		if err := p.delete(what, statement, p.now); err != nil {
			return err
		}
	}
	return nil
}
