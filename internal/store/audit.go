package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/workflow"
)

// audits gathers what the units of a batch record, so that the end of the chain
// is locked last and not while other rows are still to be locked.
type audits struct{ kept, unit []audit.Entry }

func (a *audits) keep() {
	a.kept = append(a.kept, a.unit...)
	a.unit = a.unit[:0]
}

func (a *audits) undo() { a.unit = a.unit[:0] }

// record notes an entry that is stored together with the unit's changes. Its
// actor is the one of the caller's context.
func (s *Store) record(ctx context.Context, t *tx, e audit.Entry) {
	e.Actor = audit.ActorOf(ctx)
	if e.ID.IsZero() {
		e.ID = s.ids.New()
	}
	if e.At.IsZero() {
		e.At = s.cfg.Now()
	}
	if e.Outcome == "" {
		e.Outcome = audit.Done
	}
	t.audits.unit = append(t.audits.unit, e)
}

// AppendAudit implements audit.Store.
func (s *Store) AppendAudit(ctx context.Context, e audit.Entry) error {
	return s.write(ctx, "append to the audit log", func(t *tx) error {
		s.record(ctx, t, e)
		return nil
	})
}

// flush appends what was gathered to the chain.
func (a *audits) flush(t *tx) error {
	if len(a.kept) == 0 {
		return nil
	}
	if _, err := t.exec(`INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, ?) ON CONFLICT (id) DO NOTHING`, make([]byte, 32)); err != nil {
		return err
	}
	var end audit.Link
	if _, err := t.one(`SELECT h.seq, h.hash FROM audit_head h WHERE h.id = 1`+t.conn.dialect.lock("h"), nil,
		&end.Seq, (*workflow.Hash)(&end.Hash)); err != nil {
		return err
	}
	for _, e := range a.kept {
		end = audit.Link{Entry: storable(e), Seq: end.Seq + 1, Previous: end.Hash}
		end.Hash = end.Sum()
		if err := insertAudit(t, end); err != nil {
			return err
		}
	}
	if _, err := t.exec(`UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1`, end.Seq, end.Hash[:]); err != nil {
		return fmt.Errorf("move the end of the audit log: %w", err)
	}
	return nil
}

// storable is the entry as it will be read again, which is what is hashed.
func storable(e audit.Entry) audit.Entry {
	e.At = e.At.Truncate(time.Millisecond).UTC()
	for _, text := range []*string{
		&e.Actor.Kind, &e.Actor.Name, &e.Actor.Address, &e.Actor.RequestID,
		(*string)(&e.Action), (*string)(&e.Outcome), &e.Target.Type, &e.Target.ID,
	} {
		*text = clean(*text)
	}
	for _, text := range []*json.RawMessage{&e.Before, &e.After} {
		if *text != nil {
			*text = json.RawMessage(clean(string(*text)))
		}
	}
	return e
}

const auditColumns = `seq, id, at, organization_id, actor_kind, actor_id, actor_name, action, outcome, target_type, target_id,
	address, request_id, before_change, after_change, previous, hash`

func insertAudit(t *tx, l audit.Link) error {
	_, err := t.exec(`INSERT INTO audit_entries (`+auditColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.Seq, l.ID, l.At, l.OrganizationID, l.Actor.Kind, l.Actor.ID, l.Actor.Name, string(l.Action), string(l.Outcome),
		l.Target.Type, l.Target.ID, l.Actor.Address, l.Actor.RequestID, l.Before, l.After, l.Previous[:], l.Hash[:])
	return err
}

func scanAudit(scan scanner) (audit.Link, error) {
	var l audit.Link
	err := scan(&l.Seq, &l.ID, &l.At, &l.OrganizationID, &l.Actor.Kind, &l.Actor.ID, &l.Actor.Name,
		(*string)(&l.Action), (*string)(&l.Outcome), &l.Target.Type, &l.Target.ID, &l.Actor.Address, &l.Actor.RequestID,
		&l.Before, &l.After, (*workflow.Hash)(&l.Previous), (*workflow.Hash)(&l.Hash))
	return l, err
}
