package records

import "time"

// Job is something that is under way or waits.
type Job struct {
	// Entity and Key name its row.
	Entity, Key string
	// What names what it is about: a workflow, or an image.
	What string
	// OrganizationID and Organization name whose it is.
	OrganizationID, Organization string
	// Since is when it began or began to wait, Next when something is to be done
	// about it; zero for no such time.
	Since, Next time.Time
	// Tries counts how often it was begun.
	Tries int
	// Note says what else there is to know.
	Note string
	// Stuck says that whoever works on it is gone.
	Stuck bool
}

// Jobs are those of the whole installation, the oldest of each sort first.
type Jobs struct {
	// Running are executions that a server has claimed, Waiting the first one of
	// each trigger that waits for its turn, Postponed those that wait for a time.
	Running, Waiting, Postponed []Job
	// Batches are replays and cancels of many, Runtimes images that are being made
	// ready, Notices failures that somebody is to be told of.
	Batches, Runtimes, Notices []Job
}
