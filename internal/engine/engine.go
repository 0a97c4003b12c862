package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Engine runs user code. See the package comment for the contract.
type Engine interface {
	// Compile makes a program of a source. The error is a *CompileError when
	// the source is at fault, and a *Failure when compiling it took more than it
	// may.
	Compile(ctx context.Context, source workflow.Source) (*workflow.Program, error)
	// Define runs the program's top level once and returns what it registered,
	// within a few seconds. The error is a *Failure when the code is at fault.
	Define(ctx context.Context, organization id.ID, program *workflow.Program) (Definitions, error)
	// Invoke runs one handler to its end. It calls sink, from one goroutine at
	// a time, for lines that the code logs, as they come, and never after it
	// has returned. When ctx ends the run is killed.
	Invoke(ctx context.Context, call Invocation, sink func([]LogLine)) (Result, error)
	// Slots is how many invocations can run at the same time.
	Slots() int
	// Healthy returns nil when the engine can run code now.
	Healthy(ctx context.Context) error
}

// Definitions is what a program declares.
type Definitions struct {
	Triggers  []workflow.Declaration
	Providers []workflow.ProviderRef
	// Secrets are those of Providers that are secrets.
	Secrets []Secret
}

// Secret is what code asks for of the secrets.
type Secret struct {
	workflow.ProviderRef
	// Fields are those that it can't do without.
	Fields []string
}

// Limits bound one attempt.
type Limits struct {
	// Timeout is the wall-clock time from the start of the attempt.
	Timeout time.Duration
	// Memory is what the code may allocate, in bytes.
	Memory int64
	// LogLines and LogLineBytes bound what the code may log: lines beyond are
	// dropped after one line that says so, longer ones are cut.
	LogLines, LogLineBytes int
	// ResultBytes bounds the JSON text of the handler's result.
	ResultBytes int
}

// DefaultLimits are those of an installation that sets nothing.
func DefaultLimits() Limits {
	return Limits{
		Timeout:      60 * time.Second,
		Memory:       128 << 20,
		LogLines:     100_000,
		LogLineBytes: 64 << 10,
		ResultBytes:  1 << 20,
	}
}

// Invocation is one attempt to run one handler.
type Invocation struct {
	OrganizationID id.ID
	WorkflowID     id.ID
	ExecutionID    id.ID
	// Attempt counts from 1.
	Attempt int
	Program *workflow.Program
	// Trigger selects the handler: the declaration whose identity is equal.
	Trigger workflow.Declaration
	Event   Event
	Limits  Limits
	// Ask answers what the code asks of the server by name, such as for a value
	// of the key-value store; nil for nobody. It is called from any goroutine.
	Ask Ask
	// Secrets is a JSON object of what Program.Secrets name: the fields of each,
	// by "<type>:<alias>"; nil for none.
	Secrets json.RawMessage
}

// Ask answers a question with a JSON text. The error is for the author of the
// code.
type Ask func(ctx context.Context, name string, question []byte) (answer []byte, err error)

// Event is what a handler is called with. Its JSON part and its body travel
// apart, because a body is raw bytes that the realm turns into a value.
type Event struct {
	// Fields is a JSON object with the event's members other than the body,
	// such as method, path, headers, query and params.
	Fields json.RawMessage
	// HasBody says that the event has the members body and rawBody.
	HasBody bool
	// Body is the raw body.
	Body []byte
	// ContentType says how Body becomes the member body: JSON is parsed, a
	// form becomes an object, with files in it where it is a multipart one, text
	// a string, anything else a Uint8Array.
	ContentType string
}

// Level is the level of a log line.
type Level string

// The levels, which are the methods of console.
const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
	LevelLog   Level = "log"
)

// LogLine is one line that user code logged.
type LogLine struct {
	Time    time.Time
	Level   Level
	Message string
}

// Result is the end of a successful attempt.
type Result struct {
	// Value is the JSON text of what the handler returned; nil for undefined.
	Value json.RawMessage
	// Duration is the time the code ran, without waiting for a process.
	Duration time.Duration
}

// Reason says how an attempt failed.
type Reason string

// The reasons of a Failure.
const (
	Threw       Reason = "threw"         // the code threw or rejected
	Timeout     Reason = "timeout"       // it did not end in time
	OutOfMemory Reason = "out of memory" // it allocated more than it may
	Crashed     Reason = "crashed"       // its process died of the code's doing
	NoHandler   Reason = "no handler"    // no declaration equals the trigger
	BadResult   Reason = "bad result"    // its result is too large or no JSON
	NoSecret    Reason = "no secret"     // a secret that it asks for is missing
	NeverEnds   Reason = "never settles" // its promise can settle no more
	Cancelled   Reason = "cancelled"     // ctx ended
)

// Failure is an attempt that ended because of the user's code.
type Failure struct {
	Reason Reason
	// Message is for the author of the code.
	Message string
	// Stack has one frame a line, with original files and lines where a source
	// map tells them; empty when there is none.
	Stack    string
	Duration time.Duration
}

// Error returns the message.
func (f *Failure) Error() string { return f.Message }

// Interrupted is an attempt that ended for a reason that is not the code's.
type Interrupted struct {
	// Message says what happened, for the author of the code.
	Message string
}

// Error returns the message.
func (i *Interrupted) Error() string { return i.Message }

// Problem is one fault in a source.
type Problem struct {
	// File is empty when the problem belongs to no file.
	File string
	// Line and Column count from 1; 0 when unknown.
	Line, Column int
	Text         string
}

// String returns the problem as "file:line:column: text".
func (p Problem) String() string {
	switch {
	case p.File == "":
		return p.Text
	case p.Line == 0:
		return p.File + ": " + p.Text
	default:
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
	}
}

// CompileError says why a source makes no program.
type CompileError struct {
	Problems []Problem
}

// Error returns the problems, one a line.
func (e *CompileError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
