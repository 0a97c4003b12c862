package execution

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Store is the queue and the history of executions. Each method is one atomic
// unit, durable when it returns nil.
type Store interface {
	// AcceptExecution stores an event with its execution. The execution is
	// no_deployment when the workflow is inactive or has no active deployment.
	// fault.NotFound when the trigger is gone; fault.Limited when too many
	// executions of the organization wait; fault.Conflict when the delivery
	// key was used with another body.
	AcceptExecution(ctx context.Context, a Acceptance) (Accepted, error)
	// ClaimExecutions takes up to limit waiting executions that may run at
	// time now: by organization in turn, oldest first within one, and within
	// the limits of their triggers. Executions whose workflow can no longer
	// run become no_deployment on the way.
	ClaimExecutions(ctx context.Context, incarnation id.ID, limit int, now time.Time) ([]Claim, error)
	// AppendLog stores a part of an attempt's log. ErrLeaseLost when the lease
	// is not the owner's.
	AppendLog(ctx context.Context, lease Lease, chunk LogChunk) error
	// FinishExecution ends an execution for good, with its last log lines and
	// the day's totals. The claim is as it was given. ErrLeaseLost when its lease
	// is not the owner's.
	FinishExecution(ctx context.Context, c *Claim, outcome Outcome) error
	// InterruptExecution ends an attempt. The execution goes back to received,
	// or is failed when it was interrupted more than MaxInterruptions times or
	// its trigger asks for that; the new state is returned. ErrLeaseLost when
	// the lease is not the owner's.
	InterruptExecution(ctx context.Context, lease Lease, in Interruption) (State, error)
	// RetryExecution ends a failed attempt that another one follows: the
	// execution goes back to received, postponed until then. It is cancelled
	// instead when somebody has asked for that or its workflow was deleted; the
	// new state is returned. ErrLeaseLost when the lease is not the owner's.
	RetryExecution(ctx context.Context, lease Lease, f Failure) (State, error)
	// CancelExecution ends an execution that waits. Of one that runs it notes
	// that its server shall end it; that it can complete before stays possible.
	// It returns the state after that. One that has ended stays as it is.
	CancelExecution(ctx context.Context, execution id.ID, c Cancellation) (State, error)
	// CountBatch counts the executions that a filter is about, at most so many.
	CountBatch(ctx context.Context, f BatchFilter, most int) (int, error)
	// CreateBatch stores a batch; fault.NotFound when its workflow is gone.
	CreateBatch(ctx context.Context, b Batch) error
	// Batch returns a batch that one of the organizations owns; fault.NotFound
	// otherwise.
	Batch(ctx context.Context, organizations []id.ID, batch id.ID) (Batch, error)
	// Batches returns the latest batches of a workflow, the newest first.
	Batches(ctx context.Context, workflow id.ID, limit int) ([]Batch, error)
	// OpenBatches returns batches that have not ended, the oldest first.
	OpenBatches(ctx context.Context, limit int) ([]Batch, error)
	// StepBatch acts on the executions that come next in a batch, half as many as
	// there are new ids, and moves it on: each is acted on once, whoever else is at
	// it and whatever stops in between. fault.Limited when too much waits.
	StepBatch(ctx context.Context, b Batch, ids []id.ID, now time.Time) (BatchStep, error)
	// StopBatch ends a batch for a reason; one that has ended stays as it is.
	StopBatch(ctx context.Context, batch id.ID, problem string, at time.Time) (Batch, error)
	// WakePostponed lets executions whose time has come take part in the queue,
	// at most limit, and returns how many, and when the next one's time comes;
	// zero when none is postponed.
	WakePostponed(ctx context.Context, now time.Time, limit int) (woken int, next time.Time, err error)
	// ReleaseExecution lets one that waits for its time take part in the queue now;
	// fault.Conflict when it waits for none.
	ReleaseExecution(ctx context.Context, execution id.ID) error
	// Attempts returns the attempts of an execution that ended, in order, at
	// most limit.
	Attempts(ctx context.Context, execution id.ID, limit int) ([]Attempt, error)
	// TakeBackClaims interrupts every execution that is claimed by an
	// incarnation without a lease, and returns how many.
	TakeBackClaims(ctx context.Context, reason string, now time.Time) (int, error)
	// Claims returns what an incarnation claims, at most limit.
	Claims(ctx context.Context, incarnation id.ID, limit int) ([]Held, error)

	// OnEnded has told called with what the store ends by itself, after each
	// commit and before who waits for it goes on. It is set before the first use.
	OnEnded(told func([]Ended))

	// Shared reports whether several processes can run executions of this
	// database, so that they need leases and notices.
	Shared() bool
	// Join makes a node known, with a lease by the database's clock. Where the
	// database is not shared it takes the place of all nodes before it, and
	// the lease does not run out.
	Join(ctx context.Context, n Node, lease time.Duration) error
	// Heartbeat renews a node's lease. ErrLeaseLost when it has run out.
	Heartbeat(ctx context.Context, incarnation id.ID, lease time.Duration) error
	// Leave gives a node's lease up, and with it what it still claims.
	Leave(ctx context.Context, incarnation id.ID) error
	// Nodes returns the nodes that have a lease, oldest first.
	Nodes(ctx context.Context, limit int) ([]Node, error)
	// Follow calls notice with what other processes store, until ctx ends.
	// Notices that came while the database could not be heard are lost; after
	// that it says that anything may have changed.
	Follow(ctx context.Context, notice func(Notice))

	// Execution returns an execution that one of the organizations owns;
	// fault.NotFound otherwise.
	Execution(ctx context.Context, organizations []id.ID, execution id.ID) (Execution, error)
	// Event returns an event with its body; fault.NotFound when it is gone.
	Event(ctx context.Context, event id.ID) (Event, error)
	// Executions returns a page, newest first.
	Executions(ctx context.Context, filter ListFilter) (Page, error)
	// FindExecutions returns a page of executions, newest first, as Found tells.
	FindExecutions(ctx context.Context, f FindFilter) (Found, error)
	// FindLines returns a page of an execution's log, oldest first.
	FindLines(ctx context.Context, execution id.ID, f LineFilter) (Lines, error)
	// Logs returns stored lines of an execution after a place, in order, at
	// most limit.
	Logs(ctx context.Context, execution id.ID, after Cursor, limit int) ([]LogEntry, error)
	// DailyCounts counts the executions of a namespace by the day they were received
	// on and their state, in no order.
	DailyCounts(ctx context.Context, f SummaryFilter) ([]DayCount, error)
	// LatestExecutions returns the newest execution of each of the workflows that
	// has one, in no order.
	LatestExecutions(ctx context.Context, workflows []id.ID) ([]Latest, error)
	// HourCounts counts the executions of workflows that have ended by the hour they
	// were received in, without their steps, and HourSteps those of one with them;
	// at most HoursKept back, in no order.
	HourCounts(ctx context.Context, workflows []id.ID, since time.Time) ([]HourCount, error)
	HourSteps(ctx context.Context, workflow id.ID, since time.Time) ([]HourCount, error)
	// SearchLogs returns lines of a workflow's executions, newest first.
	SearchLogs(ctx context.Context, query LogQuery) (LogPage, error)
	// Program returns a stored program; fault.NotFound when there is none.
	Program(ctx context.Context, hash workflow.Hash) (*workflow.Program, error)
	// QueueDepth returns how many executions wait and run.
	QueueDepth(ctx context.Context) (Depth, error)

	// FoldTotals adds up to limit counts of workflows to those of their namespaces,
	// which DailyCounts reads, and returns how many; a caller goes on until that is
	// less. Without it counts are as right, and take longer.
	FoldTotals(ctx context.Context, limit int) (int, error)
	// PurgeExpired removes up to limit executions that ended before the cutoff,
	// with their events and logs, and delivery keys older than their time, and
	// leftovers of deleted workflows. It returns how many rows it removed; a
	// caller goes on until that is 0.
	PurgeExpired(ctx context.Context, cutoff, now time.Time, limit int) (int, error)
}

// Depth is the state of the queue.
type Depth struct {
	Waiting, Running int
	// OldestWaiting is when the oldest waiting execution that is not postponed
	// was received; zero when there is none.
	OldestWaiting time.Time
}

// ListFilter selects a page of executions.
type ListFilter struct {
	// Organizations bounds what can be seen.
	Organizations []id.ID
	// WorkflowID restricts to one workflow when not zero.
	WorkflowID id.ID
	// State restricts to one state; empty for all but no_deployment.
	State         State
	Limit, Offset int
}

// Page is one page of executions. Total is the number on all pages, counted
// from the daily totals and the queue.
type Page struct {
	Executions []Execution
	Total      int
}
