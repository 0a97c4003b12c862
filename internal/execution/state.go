package execution

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// State is where an execution is in its life. The values are the wire's.
type State string

// The states of executions.
const (
	Received     State = "received"
	Started      State = "started"
	Completed    State = "completed"
	Failed       State = "failed"
	TimedOut     State = "timeout"
	Cancelled    State = "cancelled"
	NoDeployment State = "no_deployment"
)

// States lists all states.
var States = []State{Received, Started, Completed, Failed, TimedOut, Cancelled, NoDeployment}

// Final reports whether no other state follows s.
func (s State) Final() bool { return s != Received && s != Started }

// Known reports whether s is one of States.
func (s State) Known() bool { return slices.Contains(States, s) }

// Bounds of the queue; the decisions page of the design gives the reasons.
const (
	// MaxInterruptions is how often an interrupted run starts again.
	MaxInterruptions = 5
	// MaxWaiting is how many executions of an organization may wait.
	MaxWaiting = 100_000
	// DeliveryTTL is how long a delivery key is remembered.
	DeliveryTTL = 72 * time.Hour
)

// Execution is one run of a trigger's handler for one event.
type Execution struct {
	ID             id.ID
	OrganizationID id.ID
	WorkflowID     id.ID
	// Folders are those around its workflow, the nearest first, where it is read by
	// its id; nil in lists.
	Folders   []id.ID
	TriggerID id.ID
	// DeploymentID is fixed when the execution is claimed first; zero before.
	DeploymentID id.ID
	EventID      id.ID
	State        State
	// Waiting says why a received execution does not run yet; empty otherwise.
	Waiting    string
	ReceivedAt time.Time
	// StartedAt is the start of the latest attempt.
	StartedAt   *time.Time
	CompletedAt *time.Time
	// Duration is the run time of the last attempt, once final.
	Duration *time.Duration
	// Error is for the author of the code; empty when all went well.
	Error string
	// Stack has one frame a line; empty when there is none.
	Stack  string
	Result json.RawMessage
	// Attempt is the number of the latest attempt, from 1; 0 before the first.
	Attempt int
	// Interruptions is how many attempts ended through no fault of the code,
	// and Retries how many failed and were followed by another.
	Interruptions, Retries int
	// AvailableAt is when a postponed execution may start; nil otherwise.
	AvailableAt *time.Time
	// CancelReason is set once somebody has asked to end it.
	CancelReason string
	// ReplayOf is the execution that this one repeats; zero for none.
	ReplayOf id.ID
	// TriggeredByID is who asked for it; zero when an event did.
	TriggeredByID id.ID
	// PlannedAt is the time of the schedule that it is for; nil for none.
	PlannedAt *time.Time
	// Origin is a snapshot of the trigger, which may be gone.
	Origin Origin
}

// Origin describes the trigger of an execution as it was on acceptance.
type Origin struct {
	ProviderType  string
	ProviderAlias string
	TriggerType   string
	// Method and Path are those of the webhook; empty for other triggers.
	Method, Path string
}

// Event is what caused an execution.
type Event struct {
	ID id.ID
	// Fields, ContentType and Body are those of engine.Event.
	Fields      json.RawMessage
	HasBody     bool
	ContentType string
	Body        []byte
}

// IsJSON reports whether the sender says that the body is JSON.
func (e Event) IsJSON() bool { return engine.IsJSON(engine.MediaType(e.ContentType)) }

// Acceptance is an event together with the trigger that it is for.
type Acceptance struct {
	ExecutionID    id.ID
	OrganizationID id.ID
	WorkflowID     id.ID
	TriggerID      id.ID
	Origin         Origin
	Event          Event
	ReceivedAt     time.Time
	// DeliveryKey names the delivery at its sender; empty when it has no name.
	DeliveryKey string
	// DeliveryVaries says that the same delivery may come with another body.
	DeliveryVaries bool
	// TriggeredByID, ReplayOf and PlannedAt are those of the Execution.
	TriggeredByID, ReplayOf id.ID
	PlannedAt               *time.Time
	// AvailableAt postpones the run until then; nil does not.
	AvailableAt *time.Time
	// Dev is set when the event is told to who develops the workflow.
	Dev *Dev
	// Turn is set for the turn of a schedule, whose time is PlannedAt.
	Turn *Turn
	// Claimant takes the execution at once when it is not zero, the trigger's
	// workflow can run, and nothing eligible waits before it.
	Claimant id.ID
	// MaxWaiting is the number of waiting executions of the organization at
	// which nothing more is accepted.
	MaxWaiting int
}

// Dev tells an event to people who run it on their own machine.
type Dev struct {
	// Trigger is the one that the event is for.
	Trigger workflow.Trigger
	// To are those whom it is told to: users and service accounts.
	To []id.ID
	// Instead says that the deployed code does not run it: the execution ends as
	// it is accepted.
	Instead bool
}

// Turn is one turn of a trigger's schedule. It is taken once: nothing is stored
// when the schedule is not at Due any more, so that of several servers one
// accepts it. It is taken without an execution when the workflow can't run, or
// while an execution of the schedule waits that has not begun.
type Turn struct {
	// Due is the time that the schedule stands at, and Next the one after.
	Due, Next time.Time
}

// Accepted is what became of an Acceptance.
type Accepted struct {
	// Skipped says that the turn of a schedule made no execution.
	Skipped     bool
	ExecutionID id.ID
	State       State
	// Repeated says that the delivery was seen before; ExecutionID is the
	// first one's, and nothing was stored.
	Repeated bool
	// Diverted says that the deployed code would have run it, and a developer
	// does instead.
	Diverted bool
	// Claim is set when the claimant got the execution.
	Claim *Claim
}

// Lease is the right to write for one attempt of an execution.
type Lease struct {
	ExecutionID id.ID
	// Incarnation is the life of the server process that made the claim.
	Incarnation id.ID
	Attempt     int
}

// Claim is an execution that the claimant must run now.
type Claim struct {
	Lease
	OrganizationID id.ID
	WorkflowID     id.ID
	TriggerID      id.ID
	DeploymentID   id.ID
	ProgramHash    workflow.Hash
	// Trigger selects the handler and carries its options.
	Trigger workflow.Declaration
	// Event is nil in the claim of an Accepted: the caller has it.
	Event      *Event
	ReceivedAt time.Time
	StartedAt  time.Time
	// Retries is how many attempts have failed before.
	Retries int
}

// Outcome is how an attempt ended for good.
type Outcome struct {
	// State is final.
	State    State
	Error    string
	Stack    string
	Result   json.RawMessage
	EndedAt  time.Time
	Duration time.Duration
	// Logs is the last part of the log, stored in the same unit; nil when all
	// lines are stored already.
	Logs *LogChunk
}

// Interruption is how an attempt ended that may be run again.
type Interruption struct {
	Reason  string
	EndedAt time.Time
	// Logs is as in Outcome.
	Logs *LogChunk
	// Unknown says that who stores it knows no more of the execution than its
	// lease, so that the store tells of it.
	Unknown bool
}

// Failure is how an attempt ended that its trigger wants another one after.
type Failure struct {
	// State is the one that the execution would end in: failed or timeout.
	State   State
	Error   string
	Stack   string
	EndedAt time.Time
	// NextAt is when the next attempt may start.
	NextAt time.Time
	// Logs is as in Outcome.
	Logs *LogChunk
}

// Cancellation is somebody's wish that an execution ends.
type Cancellation struct {
	// Reason says who asked for it, for people.
	Reason string
	At     time.Time
}

// Attempt is one that has ended.
type Attempt struct {
	Number             int
	StartedAt, EndedAt time.Time
	// Outcome is a final state, or "interrupted".
	Outcome string
	Error   string
}

// Held is a claim as the database has it.
type Held struct {
	Lease
	// Cancelled says that somebody has asked to end it.
	Cancelled bool
}
