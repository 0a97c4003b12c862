package runtimes

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Images tells what was pushed.
type Images interface {
	// Digest returns the digest of the image with a tag; fault.NotFound when there
	// is none.
	Digest(ctx context.Context, organization id.ID, tag string) (string, error)
	// Sweep removes images that nothing needs; swept is false when it could not
	// begin, for somebody pushes.
	Sweep(ctx context.Context, needed func(ctx context.Context, organization id.ID) ([]string, error)) (swept bool, err error)
}

// Prepare makes an image ready to run and reports what it does, a line at a time.
type Prepare func(ctx context.Context, organization id.ID, image string, report func(line string)) error

// Config is what a Service is made of. All fields but Prepare are required.
type Config struct {
	Store  Store
	Images Images
	// Prepare is nil where no images run.
	Prepare Prepare
	// Reference names the image with a digest for who pulls it.
	Reference func(organization id.ID, digest string) string
	IDs       *id.Source
	Now       func() time.Time
	Log       *slog.Logger
}

// Service makes and shows runtimes. Safe for concurrent use.
type Service struct {
	Config
	// wake says that there may be something to make ready.
	wake chan struct{}
	stop context.CancelFunc
	work sync.WaitGroup
}

// New returns a Service.
func New(c Config) *Service { return &Service{Config: c, wake: make(chan struct{}, 1)} }

// maxRuntimes is how many runtimes an organization may have.
const maxRuntimes = 200

// Create makes a runtime of an image that was pushed. Made is false when there is
// one already that goes on or is ready.
func (s *Service) Create(ctx context.Context, organization, by id.ID, imageHash string) (r Runtime, made bool, err error) {
	if s.Prepare == nil {
		return r, false, fault.New(fault.Invalid, "This server runs no images; whoever runs it can set RUNTIME_TYPE=docker")
	}
	digest, err := s.Images.Digest(ctx, organization, imageHash)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.Invalid, "Image does not exist")
	}
	if err != nil {
		return r, false, err
	}
	now := s.Now()
	r = Runtime{
		ID: s.IDs.New(), OrganizationID: organization, ImageHash: imageHash, Digest: digest, Status: InProgress, CreatedByID: by, CreatedAt: now,
		Logs: []LogEntry{{Time: now, Level: "info", Message: "Waiting to be made ready"}},
	}
	if r, made, err = s.Store.CreateRuntime(ctx, r, maxRuntimes); err == nil && made {
		s.nudge()
	}
	return r, made, err
}

// Get returns a runtime.
func (s *Service) Get(ctx context.Context, organizations []id.ID, runtime id.ID) (Runtime, error) {
	return s.Store.Runtime(ctx, organizations, runtime)
}

// List returns runtimes, the newest first, and how many there are.
func (s *Service) List(ctx context.Context, f Filter) ([]Runtime, int, error) {
	return s.Store.Runtimes(ctx, f)
}

// Remove removes a runtime that no deployment needs.
func (s *Service) Remove(ctx context.Context, runtime id.ID) error {
	return s.Store.RemoveRuntime(ctx, runtime, s.Now())
}

const (
	// readyWait bounds how long a deployment waits for its runtime, and readyLook
	// is how often it looks: half of what the command line waits for a request.
	readyWait = 30 * time.Second
	readyLook = 250 * time.Millisecond
)

// Ready returns a completed runtime and the name of its image. It waits a while
// for one that is in progress. The error is a fault.
func (s *Service) Ready(ctx context.Context, organizations []id.ID, runtime id.ID) (r Runtime, image string, err error) {
	for end := s.Now().Add(readyWait); ; {
		r, err = s.Store.Runtime(ctx, organizations, runtime)
		if fault.Is(err, fault.NotFound) {
			err = fault.New(fault.Invalid, "Runtime not found")
		}
		if err != nil {
			return r, "", err
		}
		switch {
		case r.Status == Completed:
			return r, s.Reference(r.OrganizationID, r.Digest), nil
		case r.Status == Failed:
			return r, "", fault.New(fault.Invalid, "Runtime creation failed: %s", r.reason())
		case r.Status == Removed:
			return r, "", fault.New(fault.Invalid, "The runtime was removed; create it again")
		case !s.Now().Before(end):
			return r, "", fault.New(fault.Unavailable, "The runtime is not ready yet; deploy again when GET /api/runtimes/%s says completed", r.ID)
		}
		select {
		case <-ctx.Done():
			return r, "", ctx.Err()
		case <-time.After(readyLook):
		}
	}
}

// reason is the last thing that was said.
func (r Runtime) reason() string {
	if len(r.Logs) == 0 {
		return "nothing is known about it"
	}
	return r.Logs[len(r.Logs)-1].Message
}

// say adds a line to the log, within its bounds. The last line always has room.
func (r *Runtime) say(at time.Time, level, format string, values ...any) {
	text := []rune(fmt.Sprintf(format, values...))
	if len(text) > MaxLogMessage {
		text = append(text[:MaxLogMessage-1], '…')
	}
	if len(r.Logs) >= MaxLogEntries {
		r.Logs = r.Logs[:MaxLogEntries-1]
	}
	r.Logs = append(r.Logs, LogEntry{Time: at, Level: level, Message: string(text)})
}
