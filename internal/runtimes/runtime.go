package runtimes

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Status is what a runtime is in.
type Status string

// The statuses of runtimes.
const (
	InProgress Status = "in_progress"
	Completed  Status = "completed"
	Failed     Status = "failed"
	Removed    Status = "removed"
)

// Runtime is an image that code of an organization can run in.
type Runtime struct {
	ID             id.ID
	OrganizationID id.ID
	// ImageHash is the tag that the image was pushed under, and Digest what it
	// stood for when the runtime was made.
	ImageHash, Digest string
	Status            Status
	Logs              []LogEntry
	// Tries counts how often somebody began to make it ready.
	Tries       int
	CreatedByID id.ID
	CreatedAt   time.Time
}

// LogEntry is a line about how a runtime is made.
type LogEntry struct {
	Time time.Time
	// Level is info or error.
	Level, Message string
}

// Bounds of logs.
const (
	MaxLogEntries = 200
	MaxLogMessage = 2000
)

// Filter selects runtimes.
type Filter struct {
	Organizations []id.ID
	// Status is empty for all.
	Status        Status
	Limit, Offset int
}

// Store keeps runtimes. Each method is one atomic unit.
type Store interface {
	// CreateRuntime stores a new runtime, or begins a failed or removed one of the
	// same image anew; made is false when there is another that goes on or is
	// ready, which is returned. fault.Limited when there are too many.
	CreateRuntime(ctx context.Context, r Runtime, most int) (stored Runtime, made bool, err error)
	Runtime(ctx context.Context, organizations []id.ID, runtime id.ID) (Runtime, error)
	Runtimes(ctx context.Context, f Filter) (found []Runtime, total int, err error)
	// ClaimRuntime returns one that is in progress and that nobody makes ready, and
	// counts the try.
	ClaimRuntime(ctx context.Context, now, until time.Time) (r Runtime, found bool, err error)
	// ChangeRuntime stores how a try goes on or has ended; held is false when
	// another has taken over, and nothing is stored then.
	ChangeRuntime(ctx context.Context, r Runtime, now, until time.Time) (held bool, err error)
	// RemoveRuntime marks it removed; fault.Conflict when a deployment needs it.
	RemoveRuntime(ctx context.Context, runtime id.ID, at time.Time) error
	// NeededImages returns the digests that an organization still needs.
	NeededImages(ctx context.Context, organization id.ID) ([]string, error)
}
