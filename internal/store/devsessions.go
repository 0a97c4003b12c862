package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/dev"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// SyncDevSession implements dev.Store.
func (s *Store) SyncDevSession(ctx context.Context, y dev.Sync) (session id.ID, err error) {
	err = s.writeWorkflows(ctx, "keep a development session", func(t *tx) error {
		// Deployments and other sessions of the workflow wait.
		if _, found, err := oneWorkflow(&t.view, y.Session.WorkflowID, t.conn.dialect.lock("w")); err != nil || !found {
			return orElse(err, workflowNotFound())
		}
		if session, err = s.upsertDevSession(ctx, t, y); err != nil {
			return err
		}
		t.notices.workflows[y.Session.WorkflowID] = true
		return useTriggers(t, session, y)
	})
	return session, err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// upsertDevSession stores a session in the place of the one that its developer
// has, and returns the id of that.
func (s *Store) upsertDevSession(ctx context.Context, t *tx, y dev.Sync) (id.ID, error) {
	x := y.Session
	var known id.ID
	found, err := t.one(`SELECT id FROM dev_sessions WHERE workflow_id = ? AND developer_id = ?`, args{x.WorkflowID, x.DeveloperID}, &known)
	if err != nil {
		return id.ID{}, err
	}
	if found {
		// One that must end begins anew: what its developer may was asked again.
		_, err := t.exec(`
			UPDATE dev_sessions SET mirror = ?, expires_at = ?, ends_at = ?,
				created_at = CASE WHEN expires_at = created_at THEN ? ELSE created_at END WHERE id = ?`,
			x.Mirror, x.ExpiresAt, x.EndsAt, x.CreatedAt, known)
		return known, err
	}
	var others int
	if _, err := t.one(`SELECT COUNT(*) FROM dev_sessions WHERE workflow_id = ?`, args{x.WorkflowID}, &others); err != nil {
		return id.ID{}, err
	}
	if others >= dev.MaxSessions {
		return id.ID{}, fault.New(fault.Limited, "%d people develop this workflow at once, which is the limit; try again when one of them has stopped", others)
	}
	s.record(ctx, t, audit.Entry{
		OrganizationID: x.OrganizationID, Action: audit.BeginDev, Target: devTarget(x.ID),
		After: audit.Snapshot(map[string]any{"workflow": x.WorkflowID, "developer": x.DeveloperID, "mirror": x.Mirror}),
	})
	_, err = t.exec(`
		INSERT INTO dev_sessions (id, organization_id, workflow_id, developer_id, mirror, created_at, expires_at, ends_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		x.ID, x.OrganizationID, x.WorkflowID, x.DeveloperID, x.Mirror, x.CreatedAt, x.ExpiresAt, x.EndsAt)
	return x.ID, err
}

func devTarget(session id.ID) audit.Target {
	return audit.Target{Type: "dev_session", ID: session.String()}
}

// useTriggers has a session take the events of triggers, and of no others.
func useTriggers(t *tx, session id.ID, y dev.Sync) error {
	if _, err := t.exec(`DELETE FROM dev_triggers WHERE session_id = ?`, session); err != nil {
		return err
	}
	use := func(x workflow.Trigger) error {
		var one int
		live, err := t.one(`SELECT 1 FROM triggers WHERE id = ? AND workflow_id = ? AND deleted_at IS NULL`, args{x.ID, y.Session.WorkflowID}, &one)
		if err != nil || !live {
			return orElse(err, fault.New(fault.Conflict, "A trigger of this workflow was removed at the same time; try again"))
		}
		_, err = t.exec(`INSERT INTO dev_triggers (session_id, trigger_id, workflow_id) VALUES (?, ?, ?)`, session, x.ID, y.Session.WorkflowID)
		return err
	}
	for _, x := range y.Use {
		if err := use(x); err != nil {
			return err
		}
		// Its text decides whether the command line knows the trigger; that of a
		// deployment's trigger is the deployment's.
		if _, err := t.exec(`UPDATE triggers SET input = ? WHERE id = ? AND dev_only`, x.Input, x.ID); err != nil {
			return err
		}
	}
	// Before others are made, which may have the address of one that goes.
	if err := removeUnused(t, y.Session.WorkflowID, y.At); err != nil {
		return err
	}
	for _, x := range y.Add {
		if err := addTrigger(t, x); err != nil {
			return err
		}
		if err := use(x); err != nil {
			return err
		}
	}
	return nil
}

// unusedTriggers are those t of a workflow that are there for development alone,
// while no session uses them.
const unusedTriggers = ` FROM triggers t WHERE t.workflow_id = ? AND t.dev_only AND t.deleted_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM dev_triggers d WHERE d.trigger_id = t.id)`

// removeUnused removes triggers of development that no session uses any more.
func removeUnused(t *tx, of id.ID, at time.Time) error {
	for _, statement := range []string{
		`DELETE FROM webhooks WHERE trigger_id IN (SELECT t.id` + unusedTriggers + `)`,
		`DELETE FROM schedules WHERE trigger_id IN (SELECT t.id` + unusedTriggers + `)`,
	} {
		if _, err := t.exec(statement, of); err != nil {
			return err
		}
	}
	_, err := t.exec(`UPDATE triggers SET deleted_at = ? WHERE id IN (SELECT t.id`+unusedTriggers+`)`, at, of)
	return err
}

// EndDevSession implements dev.Store.
func (s *Store) EndDevSession(ctx context.Context, session id.ID, at time.Time) error {
	return s.writeWorkflows(ctx, "end a development session", func(t *tx) error {
		found, err := devSessions(&t.view, ` WHERE d.id = ?`+t.conn.dialect.lock("d"), session)
		if err != nil || len(found) == 0 {
			return orElse(err, devSessionNotFound())
		}
		return s.endDevSession(ctx, t, found[0], at)
	})
}

func devSessionNotFound() error { return fault.New(fault.NotFound, "Development session not found") }

func (s *Store) endDevSession(ctx context.Context, t *tx, x dev.Session, at time.Time) error {
	for _, statement := range []string{`DELETE FROM dev_triggers WHERE session_id = ?`, `DELETE FROM dev_sessions WHERE id = ?`} {
		if _, err := t.exec(statement, x.ID); err != nil {
			return err
		}
	}
	s.record(ctx, t, audit.Entry{
		OrganizationID: x.OrganizationID, Action: audit.EndDev, Target: devTarget(x.ID),
		Before: audit.Snapshot(map[string]any{"workflow": x.WorkflowID, "developer": x.DeveloperID}),
	})
	t.notices.workflows[x.WorkflowID] = true
	return removeUnused(t, x.WorkflowID, at)
}

// ExpireDevSessions implements dev.Store.
func (s *Store) ExpireDevSessions(ctx context.Context, now time.Time, limit int) (ended []dev.Session, err error) {
	err = s.writeWorkflows(ctx, "end development sessions", func(t *tx) error {
		ended, err = devSessions(&t.view, ` WHERE d.expires_at <= ? LIMIT ?`+t.conn.dialect.skipLocked("d"), now, limit)
		if err != nil {
			return err
		}
		for _, x := range ended {
			if err := s.endDevSession(ctx, t, x, now); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

// RenewDevSessions implements dev.Store. A session is never renewed beyond its
// last moment.
func (s *Store) RenewDevSessions(ctx context.Context, sessions []id.ID, until time.Time) error {
	list, values := in(sessions)
	return s.write(ctx, "renew development sessions", func(t *tx) error {
		_, err := t.exec(`
			UPDATE dev_sessions SET expires_at = CASE WHEN ends_at < ? THEN ends_at ELSE ? END
			WHERE id IN `+list+` AND expires_at > created_at`, append([]any{until, until}, values...)...)
		return err
	})
}

// ReviveDevSessions implements dev.Store.
func (s *Store) ReviveDevSessions(ctx context.Context, since, until time.Time) error {
	return s.write(ctx, "revive development sessions", func(t *tx) error {
		_, err := t.exec(`
			UPDATE dev_sessions SET expires_at = CASE WHEN ends_at < ? THEN ends_at ELSE ? END
			WHERE expires_at > ? AND expires_at < ? AND expires_at > created_at`, until, until, since, until)
		return err
	})
}

// endSessionsOf has sessions end at once whose developers may do less than
// before. They are not told from those who may develop still: these begin anew.
func endSessionsOf(t *tx) error {
	for developer := range t.notices.principals {
		_, err := t.exec(`UPDATE dev_sessions SET expires_at = created_at WHERE developer_id = ?`, developer)
		if err != nil {
			return err
		}
	}
	return nil
}

// devSessions reads sessions d without their triggers.
func devSessions(v *view, tail string, values ...any) (found []dev.Session, err error) {
	err = v.each(`
		SELECT d.id, d.organization_id, d.workflow_id, d.developer_id, d.mirror, d.created_at, d.expires_at, d.ends_at
		FROM dev_sessions d`+tail, values, func(scan scanner) error {
		var x dev.Session
		err := scan(&x.ID, &x.OrganizationID, &x.WorkflowID, &x.DeveloperID, &x.Mirror, &x.CreatedAt, &x.ExpiresAt, &x.EndsAt)
		found = append(found, x)
		return err
	})
	return found, err
}

// DevSessions implements dev.Store.
func (s *Store) DevSessions(ctx context.Context, of, after id.ID, now time.Time, limit int) (found []dev.Session, err error) {
	where, values := ` WHERE d.id > ? AND d.expires_at > ? ORDER BY d.id LIMIT ?`, []any{edge(after), now, limit}
	if !of.IsZero() {
		where, values = ` WHERE d.workflow_id = ? AND d.id > ? AND d.expires_at > ? ORDER BY d.id LIMIT ?`, append([]any{of}, values...)
	}
	err = s.read(ctx, "list development sessions", func(v *view) error {
		found, err = devSessions(v, where, values...)
		if err != nil {
			return err
		}
		return addDevTriggers(v, found)
	})
	return found, err
}

// DevSession implements dev.Store.
func (s *Store) DevSession(ctx context.Context, organizations []id.ID, session id.ID) (dev.Session, error) {
	list, values := in(organizations, session)
	var found []dev.Session
	err := s.read(ctx, "read a development session", func(v *view) (err error) {
		found, err = devSessions(v, ` JOIN organizations o ON o.id = d.organization_id
			WHERE d.id = ? AND d.organization_id IN `+list+` AND o.deleted_at IS NULL`, values...)
		if err != nil || len(found) == 0 {
			return err
		}
		if _, err := v.one(`SELECT f.path FROM workflows w`+inFolder+` WHERE w.id = ?`, args{found[0].WorkflowID}, (*pathColumn)(&found[0].Folders)); err != nil {
			return err
		}
		return addDevTriggers(v, found)
	})
	if err == nil && len(found) == 0 {
		err = devSessionNotFound()
	}
	if err != nil {
		return dev.Session{}, err
	}
	return found[0], nil
}

// addDevTriggers reads what sessions take.
func addDevTriggers(v *view, of []dev.Session) error {
	for i := range of {
		x := &of[i]
		err := v.each(`SELECT `+triggerColumns+`
			FROM dev_triggers y JOIN triggers t ON t.id = y.trigger_id
			LEFT JOIN webhooks h ON h.trigger_id = t.id LEFT JOIN schedules s ON s.trigger_id = t.id
			WHERE y.session_id = ? AND t.deleted_at IS NULL ORDER BY t.id`, args{x.ID}, func(scan scanner) error {
			t, err := scanTrigger(scan)
			x.Triggers = append(x.Triggers, t)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
