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

// Ended is an attempt, or an execution that never had one, which the store ended
// by itself: of a server that is gone, or of a workflow that was deleted.
type Ended struct {
	// Claim is without what only a run needs.
	Claim Claim
	End   End
}

// endedElsewhere passes on what the store ended. It is called after the commit
// and must not block.
func (s *Service) endedElsewhere(all []Ended) {
	for i := range all {
		s.signal(all[i].Claim.ExecutionID)
		s.Listener.Ended(&all[i].Claim, all[i].End)
	}
}

// nobody listens to nothing.
type nobody struct{}

func (nobody) Accepted(Acceptance, Accepted) {}
func (nobody) Started(*Claim)                {}
func (nobody) Logged(*Claim, LogChunk)       {}
func (nobody) Ended(*Claim, End)             {}
