package execution

import (
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// LogChunk is a run of consecutive log lines of one attempt.
type LogChunk struct {
	// First is the number of the first line within its attempt, from 1.
	First int
	Lines []engine.LogLine
}

// LogEntry is one stored line. Its number is unique within the attempt and
// grows by one.
type LogEntry struct {
	ExecutionID id.ID
	Cursor      Cursor
	engine.LogLine
}

// WireID is the line's id on the wire, derived from where it stands.
func (e LogEntry) WireID() string { return e.ExecutionID.String() + ":" + e.Cursor.String() }

// Cursor is a place in an execution's log: after the line with this number.
// The zero Cursor is before the first line.
type Cursor struct {
	Attempt int
	Line    int
}

// String returns the cursor as "<attempt>-<line>", the id of an event in the
// execution's stream.
func (c Cursor) String() string { return strconv.Itoa(c.Attempt) + "-" + strconv.Itoa(c.Line) }

// ParseCursor reads what String writes; the empty text is the zero Cursor.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	attempt, line, ok := strings.Cut(text, "-")
	a, err1 := strconv.ParseUint(attempt, 10, 31)
	l, err2 := strconv.ParseUint(line, 10, 31)
	if !ok || err1 != nil || err2 != nil {
		return Cursor{}, fault.New(fault.Invalid, "%.40q is no place in a log; it has the form <attempt>-<line>, such as 1-17", text)
	}
	return Cursor{Attempt: int(a), Line: int(l)}, nil
}

// LogQuery selects log lines of a workflow, newest first.
type LogQuery struct {
	WorkflowID id.ID
	// Contains is a part of the message, compared without regard to case;
	// empty for all.
	Contains string
	// Level is one level; empty for all.
	Level         engine.Level
	Limit, Offset int
	// Deadline ends the search; what was found until then is returned.
	Deadline time.Time
}

// LogPage is what a LogQuery found.
type LogPage struct {
	Entries []LogEntry
	// Complete says that the search ended before its deadline.
	Complete bool
}
