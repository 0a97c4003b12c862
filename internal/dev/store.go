package dev

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Session is the time in which a developer runs events of a workflow.
type Session struct {
	ID             id.ID
	OrganizationID id.ID
	WorkflowID     id.ID
	// Folders are those around its workflow, the nearest first, where it is read by
	// its id; nil in lists.
	Folders []id.ID
	// DeveloperID is a user's or a service account's.
	DeveloperID id.ID
	// Mirror has the deployed code run the events too.
	Mirror    bool
	CreatedAt time.Time
	// ExpiresAt is when it ends unless its developer is connected, and EndsAt
	// when it ends in any case.
	ExpiresAt, EndsAt time.Time
	// Triggers are those whose events it takes.
	Triggers []workflow.Trigger
}

// Sync begins a session, or changes the one that its developer has with the
// workflow, which keeps its id and beginning.
type Sync struct {
	// Session is without its Triggers.
	Session Session
	// Use are triggers that exist, and Add those that are made for development
	// alone.
	Use []workflow.Trigger
	Add []workflow.Trigger
	At  time.Time
}

// Store keeps sessions. Each method is one atomic unit.
type Store interface {
	// Triggers returns the triggers of a workflow, those of development
	// included.
	Triggers(ctx context.Context, workflow id.ID) ([]workflow.Trigger, error)
	// SyncDevSession stores a session with its triggers, and removes those of
	// development that no session uses any more. It returns the session's id.
	// fault.Conflict when the triggers are no longer those that were read or an
	// address is taken; fault.NotFound when the workflow is gone; fault.Limited
	// when it has MaxSessions.
	SyncDevSession(ctx context.Context, s Sync) (id.ID, error)
	// DevSessions returns up to limit sessions with their triggers, those with
	// ids greater than after, in the order of their ids; of one workflow when
	// that is not zero. Those that are over are left out.
	DevSessions(ctx context.Context, of, after id.ID, now time.Time, limit int) ([]Session, error)
	// DevSession returns a session of one of the organizations; fault.NotFound
	// otherwise.
	DevSession(ctx context.Context, organizations []id.ID, session id.ID) (Session, error)
	// RenewDevSessions lets sessions go on until then, unless they must end.
	RenewDevSessions(ctx context.Context, sessions []id.ID, until time.Time) error
	// ReviveDevSessions lets sessions go on until then that ended for want of
	// their developer after since: while no server was there.
	ReviveDevSessions(ctx context.Context, since, until time.Time) error
	// EndDevSession removes a session, and the triggers of development that no
	// other uses.
	EndDevSession(ctx context.Context, session id.ID, at time.Time) error
	// ExpireDevSessions does so with up to limit sessions that are over, and
	// returns them without their triggers.
	ExpireDevSessions(ctx context.Context, now time.Time, limit int) ([]Session, error)
}

// MaxSessions is how many sessions a workflow has at once.
const MaxSessions = 20
