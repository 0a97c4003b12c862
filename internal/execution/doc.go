// Package execution owns the life of a run, from the acceptance of an event to
// its final state.
//
//	received → started → completed | failed | timeout | cancelled
//	no_deployment (final at once: the workflow was inactive or had no code)
//
// An event is acknowledged only after Accept has stored it with its execution.
// From then on the execution ends or waits with a reason. A run that is
// interrupted (its server or its process died for no fault of the code) goes
// back to received and runs again, a bounded number of times. Final states are
// final: every write carries a Lease and is refused when the lease is no longer
// the owner's.
//
// The executions table is the queue. A free slot is filled by organization in
// turn, then oldest first; an execution may be born claimed when a slot is free
// and nothing eligible waits before it.
//
// This package does not know where events come from (trigger) nor how code runs
// (engine), and it imports no store.
package execution
