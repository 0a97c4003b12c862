package audit

import (
	"context"

	"github.com/usefloww/flowwd/internal/id"
)

// Store keeps the chain. Each method is one atomic unit.
type Store interface {
	// AppendAudit appends an entry that is part of no other change.
	AppendAudit(ctx context.Context, e Entry) error
	// AuditPage returns the entries that a filter selects, newest first.
	AuditPage(ctx context.Context, f Filter) (Page, error)
	// AuditChain returns entries in the order of the chain: those after a place,
	// of one organization or, when it is zero, all; at most limit.
	AuditChain(ctx context.Context, organization id.ID, after int64, limit int) ([]Link, error)
	// VerifyAudit walks the whole chain and returns how many entries there are. A
	// *Broken says where it does not hold.
	VerifyAudit(ctx context.Context) (int64, error)
}
