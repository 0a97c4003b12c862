package execution

import (
	"context"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// FindFilter selects executions by what they are, a page after the other by their
// ids, which grow with the time of their arrival.
type FindFilter struct {
	// Organizations bounds what can be seen.
	Organizations []id.ID
	// WorkflowID restricts to one workflow when not zero.
	WorkflowID id.ID
	// State restricts to one state; empty for all but no_deployment.
	State State
	// TriggerType restricts to triggers of one type, such as onCron; empty for all.
	TriggerType string
	// Contains is a part of the error or of the address that was called, compared
	// without regard to case; empty for all.
	Contains string
	// Since restricts to those received then or later when not nil; Until, to
	// those received before.
	Since, Until *time.Time
	// Before restricts to those that came before this one, and After to those that
	// came after it: the ones next to it. Zero for no bound; not both.
	Before, After id.ID
	Limit         int
	// Deadline ends the search; what was found until then is returned.
	Deadline time.Time
}

// Found is a page of what a FindFilter selects, newest first.
type Found struct {
	// Executions are without stacks and results.
	Executions []Execution
	// More says that there are others, or may be, in the direction of the search.
	More bool
	// Reached is the last one that was looked at when the search ended before it
	// had enough; zero otherwise.
	Reached id.ID
}

// Find returns a page of executions, newest first. The search ends after a short
// time also when there may be more.
func (s *Service) Find(ctx context.Context, f FindFilter) (Found, error) {
	if f.State != "" && !f.State.Known() {
		return Found{}, fault.New(fault.Invalid, "%.40q is no state of an execution", string(f.State))
	}
	f.Deadline = s.Now().Add(searchTime)
	return s.Store.FindExecutions(ctx, f)
}

// LineFilter selects lines of one execution's log.
type LineFilter struct {
	// Contains and Level are those of a LogQuery.
	Contains string
	Level    engine.Level
	// Before and After are places: the lines next to them are returned. With
	// neither they are the last ones, or the first with First. Not both.
	Before, After Cursor
	First         bool
	Limit         int
	// Bytes bounds the messages of a page; the first line is always returned.
	Bytes int
	// Deadline ends the search; what was found until then is returned.
	Deadline time.Time
}

// Forward reports whether lines are looked for in the direction of the log.
func (f LineFilter) Forward() bool { return f.First || f.After != (Cursor{}) }

// Takes reports whether a line is meant.
func (f LineFilter) Takes(l engine.LogLine) bool {
	return (f.Level == "" || f.Level == l.Level) &&
		(f.Contains == "" || strings.Contains(strings.ToLower(l.Message), strings.ToLower(f.Contains)))
}

// Lines is a page of a log, oldest first.
type Lines struct {
	Entries []LogEntry
	// More says that there are others, or may be, in the direction of the search.
	More bool
	// Reached is the last place that was looked at when the search ended before it
	// had enough; zero otherwise.
	Reached Cursor
}

// FindLines returns a page of an execution's log. A search ends after a short time
// also when there may be more; without one, the page has enough after its limit.
func (s *Service) FindLines(ctx context.Context, execution id.ID, f LineFilter) (Lines, error) {
	if f.Contains != "" || f.Level != "" {
		f.Deadline = s.Now().Add(searchTime)
	}
	return s.Store.FindLines(ctx, execution, f)
}
