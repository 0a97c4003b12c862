package execution

import (
	"encoding/json"
	"time"
)

// Listener is told what this process has stored of executions, after the commit.
// It must not block and must not change what it is given.
type Listener interface {
	// Accepted is called for each event that was not accepted before.
	Accepted(a Acceptance, got Accepted)
	// Started is called when an attempt begins.
	Started(c *Claim)
	// Logged is called for each part of the log.
	Logged(c *Claim, chunk LogChunk)
	// Ended is called when an attempt has ended.
	Ended(c *Claim, e End)
}

// End is how an attempt ended.
type End struct {
	// State is what the execution came to: Received when it waits for another
	// attempt.
	State    State
	Error    string
	Result   json.RawMessage
	At       time.Time
	Duration time.Duration
}

// nobody listens to nothing.
type nobody struct{}

func (nobody) Accepted(Acceptance, Accepted) {}
func (nobody) Started(*Claim)                {}
func (nobody) Logged(*Claim, LogChunk)       {}
func (nobody) Ended(*Claim, End)             {}
