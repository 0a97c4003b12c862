package app

import (
	"context"
	"encoding/hex"
	"io"
	"os/user"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/audit/lines"
	"github.com/usefloww/flowwd/internal/id"
)

// exportStep is how many entries are read at a time.
const exportStep = 1000

// AuditSummary is what an export of the audit log holds.
type AuditSummary struct {
	// Entries counts what is there, and Missing what is not between the First and
	// the Last number.
	Entries, Missing, First, Last int64
	// Hash is the one of the last entry: who notes it can tell later whether
	// anything up to there has changed.
	Hash string
}

// ExportAudit writes the whole audit log as JSON lines.
func (a *Admin) ExportAudit(ctx context.Context, w io.Writer) error {
	err := a.store.AppendAudit(asOperator(ctx), audit.Entry{Action: audit.ExportAudit})
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		links, err := a.store.AuditChain(ctx, id.ID{}, after, exportStep)
		if err != nil {
			return err
		}
		var text []byte
		for _, l := range links {
			if text, err = lines.Append(text, l); err != nil {
				return err
			}
			after = l.Seq
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		if len(links) < exportStep {
			return nil
		}
	}
}

// VerifyAudit walks the chain in the database and returns how many entries it
// has.
func (a *Admin) VerifyAudit(ctx context.Context) (int64, error) {
	n, err := a.store.VerifyAudit(ctx)
	return n, explainBroken(err)
}

// VerifyAuditExport checks an export; with gaps, one of one organization.
func VerifyAuditExport(r io.Reader, gaps bool) (AuditSummary, error) {
	s, err := lines.Verify(r, gaps)
	return AuditSummary{
		Entries: s.Entries, Missing: s.Missing, First: s.First.Seq, Last: s.Last.Seq, Hash: hex.EncodeToString(s.Last.Hash[:]),
	}, err
}

// asOperator has the person at the command line do what is done.
func asOperator(ctx context.Context) context.Context {
	actor := audit.Actor{Kind: audit.KindOperator}
	if who, err := user.Current(); err == nil {
		actor.Name = who.Username
	}
	return audit.WithActor(ctx, actor)
}
