package store

import (
	"context"
	"math"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// auditLook is how many entries a page looks at: a filter that selects few
	// must not read the whole log at once.
	auditLook = 5_000
	// auditStep is how many entries one step of a verification reads.
	auditStep = 1_000
	// auditSkew is how far the times of neighbours in the chain may be out of
	// order: servers have clocks of their own.
	auditSkew = 5 * time.Minute
)

// AuditPage implements audit.Store.
func (s *Store) AuditPage(ctx context.Context, f audit.Filter) (audit.Page, error) {
	var page audit.Page
	err := s.read(ctx, "read the audit log", func(v *view) error {
		page = audit.Page{}
		where, values, err := auditBounds(v, f)
		if err != nil {
			return err
		}
		looked := 0
		return v.each(`SELECT `+auditColumns+` FROM audit_entries a WHERE`+where+` ORDER BY a.seq DESC LIMIT ?`,
			append(values, auditLook), func(scan scanner) error {
				if len(page.Links) >= f.Limit {
					return nil // read to the end, which is near
				}
				l, err := scanAudit(scan)
				if err != nil {
					return err
				}
				if looked++; f.Matches(l.Entry) {
					page.Links = append(page.Links, l)
				}
				if len(page.Links) >= f.Limit || looked >= auditLook {
					page.Next = l.Seq
				}
				return nil
			})
	})
	return page, err
}

// auditBounds is the condition on entries that indexes can answer.
func auditBounds(v *view, f audit.Filter) (string, args, error) {
	if f.Before <= 0 {
		f.Before = math.MaxInt64
	}
	where, values := ` a.seq < ?`, args{f.Before}
	add := func(condition string, value any) {
		where += ` AND ` + condition
		values = append(values, value)
	}
	if !f.OrganizationID.IsZero() {
		add(`a.organization_id = ?`, f.OrganizationID)
	}
	// The chain is nearly in the order of time: what bounds one bounds the other.
	if !f.Since.IsZero() {
		var first int64
		found, err := v.one(`SELECT a.seq FROM audit_entries a WHERE a.at >= ? ORDER BY a.at LIMIT 1`, args{f.Since.Add(-auditSkew)}, &first)
		if err != nil {
			return "", nil, err
		}
		if !found {
			return ` a.seq < ?`, args{0}, nil
		}
		add(`a.seq >= ?`, first)
	}
	if !f.Until.IsZero() {
		var last int64
		found, err := v.one(`SELECT a.seq FROM audit_entries a WHERE a.at <= ? ORDER BY a.at DESC LIMIT 1`, args{f.Until.Add(auditSkew)}, &last)
		if err != nil {
			return "", nil, err
		}
		if !found {
			return ` a.seq < ?`, args{0}, nil
		}
		add(`a.seq <= ?`, last)
	}
	return where, values, nil
}

// AuditChain implements audit.Store.
func (s *Store) AuditChain(ctx context.Context, organization id.ID, after int64, limit int) ([]audit.Link, error) {
	var links []audit.Link
	err := s.read(ctx, "read the audit log", func(v *view) (err error) {
		links, err = auditChain(v, organization, after, limit)
		return err
	})
	return links, err
}

func auditChain(v *view, organization id.ID, after int64, limit int) (links []audit.Link, err error) {
	where, values := ` a.seq > ?`, args{after}
	if !organization.IsZero() {
		where, values = ` a.organization_id = ? AND a.seq > ?`, args{organization, after}
	}
	err = v.each(`SELECT `+auditColumns+` FROM audit_entries a WHERE`+where+` ORDER BY a.seq LIMIT ?`, append(values, limit),
		func(scan scanner) error {
			l, err := scanAudit(scan)
			links = append(links, l)
			return err
		})
	return links, err
}

// VerifyAudit implements audit.Store. It reads in steps, so that others go on,
// up to what the end was at the first of them.
func (s *Store) VerifyAudit(ctx context.Context) (int64, error) {
	var walk auditWalk
	for done := false; !done; {
		err := s.read(ctx, "verify the audit log", func(v *view) (err error) {
			done, err = walk.step(v)
			return err
		})
		if err != nil {
			return walk.check.Entries, err
		}
	}
	return walk.check.Entries, walk.check.End(walk.end.Seq, walk.end.Hash)
}

// auditWalk goes along the chain.
type auditWalk struct {
	check audit.Verifier
	begun bool
	// at is the last entry that was checked, and end the one to stop at.
	at  int64
	end audit.Link
}

// step checks some entries and reports whether they were the last.
func (w *auditWalk) step(v *view) (done bool, err error) {
	if !w.begun {
		if _, err := v.one(`SELECT h.seq, h.hash FROM audit_head h WHERE h.id = 1`, nil, &w.end.Seq, (*workflow.Hash)(&w.end.Hash)); err != nil {
			return false, err
		}
		w.begun = true
	}
	var first int64
	if _, err := v.one(`SELECT a.seq FROM audit_entries a WHERE a.seq > 0 ORDER BY a.seq LIMIT 1`, nil, &first); err != nil {
		return false, err
	}
	if first > w.at+1 && w.at > 0 {
		// Retention went past meanwhile; the chain begins later now.
		w.check, w.at = audit.Verifier{}, 0
	}
	links, err := auditChain(v, id.ID{}, w.at, auditStep)
	if err != nil {
		return false, err
	}
	for _, l := range links {
		if w.at == w.end.Seq && w.at > 0 {
			return true, nil
		}
		if err := w.check.Check(l); err != nil {
			return false, err
		}
		w.at = l.Seq
	}
	return len(links) < auditStep, nil
}

// audits removes the oldest entries of the audit log. What is left is a chain
// still; its last entry stays, so that the end can be told from one that somebody
// cut off.
func (p *purge) audits() error {
	if p.store.cfg.AuditRetention == 0 {
		return nil
	}
	before := p.now.Add(-p.store.cfg.AuditRetention)
	return p.repeat("purge the audit log", func(t *tx, limit int) (int, error) {
		var expired []int64
		last, open := int64(0), true
		// One more than may go, to know whether there is one that stays.
		err := t.each(`SELECT a.seq, a.at FROM audit_entries a WHERE a.seq > 0 ORDER BY a.seq LIMIT ?`, args{limit + 1}, func(scan scanner) error {
			var at time.Time
			err := scan(&last, &at)
			if open = open && at.Before(before); open {
				expired = append(expired, last)
			}
			return err
		})
		if n := len(expired); n > 0 && expired[n-1] == last {
			expired = expired[:n-1]
		}
		if err != nil || len(expired) == 0 {
			return 0, err
		}
		n, err := t.exec(`DELETE FROM audit_entries WHERE seq <= ?`, expired[len(expired)-1])
		return int(n), err
	})
}
