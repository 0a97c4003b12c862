package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/runtimes"
)

const runtimeColumns = `r.id, r.organization_id, r.image_hash, r.digest, r.status, r.logs, r.tries, r.created_by_id, r.created_at`

// runtimeLog is an entry as it is stored.
type runtimeLog struct {
	Time    int64  `json:"time"` // Unix milliseconds
	Level   string `json:"level"`
	Message string `json:"message"`
}

func encodeRuntimeLogs(entries []runtimes.LogEntry) (string, error) {
	rows := make([]runtimeLog, len(entries))
	for i, e := range entries {
		rows[i] = runtimeLog{e.Time.UnixMilli(), e.Level, e.Message}
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

func scanRuntime(scan scanner) (runtimes.Runtime, error) {
	var r runtimes.Runtime
	var logs string
	err := scan(&r.ID, &r.OrganizationID, &r.ImageHash, &r.Digest, &r.Status, &logs, &r.Tries, &r.CreatedByID, &r.CreatedAt)
	if err != nil {
		return r, err
	}
	var rows []runtimeLog
	if err := json.Unmarshal([]byte(logs), &rows); err != nil {
		return r, fmt.Errorf("read the log of runtime %s: %w", r.ID, err)
	}
	for _, row := range rows {
		r.Logs = append(r.Logs, runtimes.LogEntry{Time: time.UnixMilli(row.Time).UTC(), Level: row.Level, Message: row.Message})
	}
	return r, nil
}

func runtimeTarget(runtime id.ID) audit.Target {
	return audit.Target{Type: "runtime", ID: runtime.String()}
}

// oneRuntime reads a runtime by a condition.
func oneRuntime(v *view, where string, values ...any) (r runtimes.Runtime, found bool, err error) {
	err = v.each(`SELECT `+runtimeColumns+` FROM runtimes r WHERE `+where, values, func(scan scanner) (err error) {
		found = true
		r, err = scanRuntime(scan)
		return err
	})
	return r, found, err
}

// CreateRuntime implements runtimes.Store.
func (s *Store) CreateRuntime(ctx context.Context, r runtimes.Runtime, most int) (stored runtimes.Runtime, made bool, err error) {
	logs, err := encodeRuntimeLogs(r.Logs)
	if err != nil {
		return r, false, err
	}
	err = s.write(ctx, "create a runtime", func(t *tx) error {
		there, found, err := oneRuntime(&t.view, `r.organization_id = ? AND r.image_hash = ?`+t.conn.dialect.lock("r"), r.OrganizationID, r.ImageHash)
		if err != nil {
			return err
		}
		made = !found || there.Status == runtimes.Failed || there.Status == runtimes.Removed
		if !made {
			stored = there
			return nil
		}
		stored = r
		if found {
			stored.ID, stored.CreatedByID, stored.CreatedAt = there.ID, there.CreatedByID, there.CreatedAt
		}
		if err := roomForRuntime(t, r, most); err != nil {
			return err
		}
		n, err := t.exec(`
			INSERT INTO runtimes (id, organization_id, image_hash, digest, status, logs, tries, created_by_id, created_at, changed_at)
			VALUES (?, ?, ?, ?, 'in_progress', ?, 0, ?, ?, ?) ON CONFLICT (organization_id, image_hash) DO UPDATE SET
				status = excluded.status, digest = excluded.digest, logs = excluded.logs, tries = 0, lease_until = NULL, changed_at = excluded.changed_at
				WHERE runtimes.status IN ('failed', 'removed')`,
			r.ID, r.OrganizationID, r.ImageHash, r.Digest, logs, r.CreatedByID, r.CreatedAt, r.CreatedAt)
		if made = n > 0; err != nil {
			return err
		}
		if !made { // another made it since
			stored, _, err = oneRuntime(&t.view, `r.organization_id = ? AND r.image_hash = ?`, r.OrganizationID, r.ImageHash)
			return err
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: r.OrganizationID, Action: audit.CreateRuntime, Target: runtimeTarget(stored.ID),
			After: audit.Snapshot(map[string]any{"image": r.ImageHash, "digest": r.Digest}),
		})
		return nil
	})
	return stored, made, err
}

// roomForRuntime refuses one more than an organization may have. What is begun
// anew counts only where it did not.
func roomForRuntime(t *tx, r runtimes.Runtime, most int) error {
	n := 0
	_, err := t.one(`SELECT COUNT(*) FROM runtimes WHERE organization_id = ? AND status <> 'removed' AND image_hash <> ?`,
		args{r.OrganizationID, r.ImageHash}, &n)
	if err == nil && n >= most {
		err = fault.New(fault.Limited, "The organization has %d runtimes, which is the limit; remove some that are not needed", n)
	}
	return err
}

// Runtime implements runtimes.Store.
func (s *Store) Runtime(ctx context.Context, organizations []id.ID, runtime id.ID) (r runtimes.Runtime, err error) {
	list, values := in(organizations, runtime)
	found := false
	err = s.read(ctx, "read a runtime", func(v *view) (err error) {
		r, found, err = oneRuntime(v, `r.id = ? AND r.organization_id IN `+list, values...)
		return err
	})
	if err == nil && !found {
		err = runtimeNotFound()
	}
	return r, err
}

func runtimeNotFound() error { return fault.New(fault.NotFound, "Runtime not found") }

// Runtimes implements runtimes.Store.
func (s *Store) Runtimes(ctx context.Context, f runtimes.Filter) (found []runtimes.Runtime, total int, err error) {
	list, values := in(f.Organizations)
	where := `r.organization_id IN ` + list
	if f.Status != "" {
		where += ` AND r.status = ?`
		values = append(values, string(f.Status))
	}
	err = s.read(ctx, "list runtimes", func(v *view) error {
		found = nil
		if _, err := v.one(`SELECT COUNT(*) FROM runtimes r WHERE `+where, values, &total); err != nil {
			return err
		}
		return v.each(`SELECT `+runtimeColumns+` FROM runtimes r WHERE `+where+` ORDER BY r.created_at DESC, r.id DESC LIMIT ? OFFSET ?`,
			append(values, f.Limit, f.Offset), func(scan scanner) error {
				r, err := scanRuntime(scan)
				found = append(found, r)
				return err
			})
	})
	return found, total, err
}

// openRuntime is one that nobody makes ready.
const openRuntime = `r.status = 'in_progress' AND (r.lease_until IS NULL OR r.lease_until <= ?)`

// ClaimRuntime implements runtimes.Store. It looks outside of the writer first,
// for most of the time there is nothing.
func (s *Store) ClaimRuntime(ctx context.Context, now, until time.Time) (r runtimes.Runtime, found bool, err error) {
	var one int
	err = s.read(ctx, "look for a runtime", func(v *view) (err error) {
		found, err = v.one(`SELECT 1 FROM runtimes r WHERE `+openRuntime+` LIMIT 1`, args{now}, &one)
		return err
	})
	if err != nil || !found {
		return r, false, err
	}
	err = s.write(ctx, "claim a runtime", func(t *tx) (err error) {
		r, found, err = oneRuntime(&t.view, openRuntime+` ORDER BY r.id LIMIT 1`+t.conn.dialect.lock("r"), now)
		if err != nil || !found {
			return err
		}
		r.Tries++
		_, err = t.exec(`UPDATE runtimes SET lease_until = ?, tries = ?, changed_at = ? WHERE id = ?`, until, r.Tries, now, r.ID)
		return err
	})
	return r, found, err
}

// ChangeRuntime implements runtimes.Store.
func (s *Store) ChangeRuntime(ctx context.Context, r runtimes.Runtime, now, until time.Time) (held bool, err error) {
	logs, err := encodeRuntimeLogs(r.Logs)
	if err != nil {
		return false, err
	}
	err = s.write(ctx, "change a runtime", func(t *tx) error {
		n, err := t.exec(`UPDATE runtimes SET status = ?, logs = ?, lease_until = ?, changed_at = ? WHERE id = ? AND status = 'in_progress' AND tries = ?`,
			string(r.Status), logs, until, now, r.ID, r.Tries)
		held = n > 0
		return err
	})
	return held, err
}

// RemoveRuntime implements runtimes.Store.
func (s *Store) RemoveRuntime(ctx context.Context, runtime id.ID, at time.Time) error {
	return s.write(ctx, "remove a runtime", func(t *tx) error {
		r, found, err := oneRuntime(&t.view, `r.id = ?`+t.conn.dialect.lock("r"), runtime)
		if err == nil && !found {
			err = runtimeNotFound()
		}
		if err != nil || r.Status == runtimes.Removed {
			return err
		}
		var one int
		needed, err := t.one(`SELECT 1 FROM deployments d WHERE d.runtime_id = ? AND d.deleted_at IS NULL LIMIT 1`, args{runtime}, &one)
		if err == nil && needed {
			err = fault.New(fault.Conflict, "A deployment runs in this runtime; delete the deployment first")
		}
		if err != nil {
			return err
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: r.OrganizationID, Action: audit.RemoveRuntime, Target: runtimeTarget(runtime),
			Before: audit.Snapshot(map[string]any{"image": r.ImageHash, "status": r.Status}),
		})
		_, err = t.exec(`UPDATE runtimes SET status = 'removed', lease_until = NULL, changed_at = ? WHERE id = ?`, at, runtime)
		return err
	})
}

// NeededImages implements runtimes.Store. Deployments that are deleted count
// until they are purged, for executions may be under way.
func (s *Store) NeededImages(ctx context.Context, organization id.ID) (digests []string, err error) {
	err = s.read(ctx, "list the images that are needed", func(v *view) (err error) {
		digests, err = texts(v, `
			SELECT r.digest FROM runtimes r WHERE r.organization_id = ? AND (r.status <> 'removed'
				OR EXISTS (SELECT 1 FROM deployments d WHERE d.runtime_id = r.id))`, organization)
		return err
	})
	return digests, err
}

// readyRuntime refuses a deployment whose runtime is another organization's, or
// not ready.
func readyRuntime(t *tx, organization, runtime id.ID) error {
	if runtime.IsZero() {
		return nil
	}
	r, found, err := oneRuntime(&t.view, `r.id = ?`+t.conn.dialect.lock("r"), runtime)
	switch {
	case err != nil:
		return err
	case !found || r.OrganizationID != organization:
		return fault.New(fault.Invalid, "Runtime not found")
	case r.Status != runtimes.Completed:
		return fault.New(fault.Conflict, "The runtime is not ready (%s); deploy again when it is completed", r.Status)
	}
	return nil
}
