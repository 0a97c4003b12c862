package execution

import (
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Node is a process that runs executions of a database, in one of its lives: a
// process that lost its lease comes back as another incarnation.
type Node struct {
	Incarnation id.ID
	// Name says to a person which process it is.
	Name      string
	StartedAt time.Time
	// LeaseUntil is when its claims are taken back unless it renews its lease;
	// far away where it has the database for itself.
	LeaseUntil time.Time
}

// The times of leases. A node that can't renew its lease ends its runs before
// others may take them over: at most LeaseTime and one heartbeat after a node
// was last heard of its executions run elsewhere, and never in two places.
const (
	LeaseTime         = 10 * time.Second
	HeartbeatInterval = 2 * time.Second
	// FenceTime is how long after its last heartbeat a node ends its own runs.
	FenceTime = 7 * time.Second
)

// Notice is what another process stored.
type Notice struct {
	// Queue says that something waits that a free slot should take.
	Queue bool
	// Executions and Workflows changed.
	Executions, Workflows []id.ID
	// Cancelled are executions that somebody has asked to end.
	Cancelled []id.ID
	// Principals may do less than before: people and service accounts.
	Principals []id.ID
	// Anything says that notices were missed.
	Anything bool
}
