package alert

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Kind is a way in which failures are told.
type Kind string

// The kinds.
const (
	Webhook Kind = "webhook"
	Mail    Kind = "mail"
	Handler Kind = "handler"
)

// Receiver is told of a workflow's failures.
type Receiver struct {
	OrganizationID, WorkflowID id.ID
	Kind                       Kind
	// Label is how people know it: the host of a webhook, an address of mail.
	Label string
	// Sealed is what is kept of a webhook: its address and key, encrypted.
	Sealed      []byte
	CreatedByID id.ID
	UpdatedAt   time.Time
	// SentAt is when it took a notice last; nil for never.
	SentAt *time.Time
	// Problem says why the last try to tell it failed; empty when it did not.
	Problem string
	// Waiting is how many failures it has not been told.
	Waiting int
}

// Change replaces and removes receivers of a workflow, in one unit.
type Change struct {
	OrganizationID, WorkflowID id.ID
	Set                        []Receiver
	Remove                     []Kind
}

// Notice tells a receiver of failures.
type Notice struct {
	ID id.ID
	Receiver
	// Failures is how many there were, Since when the first of them was, and
	// ExecutionID the last.
	Failures    int
	Since       time.Time
	ExecutionID id.ID
	// Try counts the tries, from 1.
	Try int
}

// Settlement is what became of a try to send a notice.
type Settlement struct {
	At time.Time
	// Problem is empty when the receiver took it.
	Problem string
	// Again is when it is tried next; nil when its way has ended.
	Again *time.Time
	// Quiet is when the receiver can be told of the next failure.
	Quiet time.Time
}

// Store keeps receivers and what they are still to be told. Each method is one
// atomic unit.
type Store interface {
	// Receivers returns those of a workflow.
	Receivers(ctx context.Context, workflow id.ID) ([]Receiver, error)
	// ChangeReceivers applies a change; fault.NotFound when the workflow is gone.
	ChangeReceivers(ctx context.Context, c Change) error
	// TakeNotices returns notices that are to be sent now, at most as many as there
	// are new ids. Each is due again at another time, unless it is settled before:
	// who takes it may be killed.
	TakeNotices(ctx context.Context, ids []id.ID, now, again time.Time) ([]Notice, error)
	// SettleNotice stores what became of a try. It changes nothing when another
	// server has tried it again.
	SettleNotice(ctx context.Context, n Notice, s Settlement) error
}
