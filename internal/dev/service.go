package dev

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// Grace is how long a session goes on without its developer: long enough for
	// a client that connects again after a restart of the server, which waits up
	// to 20 seconds between two tries.
	Grace = time.Minute
	// MaxAge is how long a session goes on after its last sync, also when its
	// developer is connected: who forgets a command line must not take events
	// for ever.
	MaxAge = 12 * time.Hour
	// interval is how often sessions are looked after.
	interval = time.Second
	// revived is how long a server may have been away for sessions to outlive
	// it.
	revived = 10 * time.Minute

	lookTimeout = 10 * time.Second
)

// Presence tells who is subscribed to a workflow's channel.
type Presence interface {
	// Here answers at once, from what this process knows; known is false when
	// somebody may be connected elsewhere.
	Here(workflow, developer id.ID) (present, known bool)
	// Present asks, which may take its time and fail.
	Present(ctx context.Context, workflow, developer id.ID) (bool, error)
}

// Config is what a Service is made of. All fields are required.
type Config struct {
	Store      Store
	Presence   Presence
	Planner    *trigger.Planner
	Executions trigger.Accepter
	// Changed is told after the triggers of a workflow changed.
	Changed func(workflow id.ID)
	IDs     *id.Source
	Now     func() time.Time
	Log     *slog.Logger
}

// Service keeps sessions and has them take events. Safe for concurrent use.
type Service struct {
	Config
	// table is what Accept looks at; it is replaced as a whole.
	table atomic.Pointer[table]
	// reading keeps an older reading of the sessions from replacing a newer.
	reading sync.Mutex

	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

var _ trigger.Accepter = (*Service)(nil)

// New returns a Service that takes no events before Start.
func New(c Config) *Service {
	s := &Service{Config: c, wake: make(chan struct{}, 1)}
	s.table.Store(&table{})
	return s
}

// Sync begins a session or changes the one that the developer has with the
// workflow, so that it takes the events of the declared triggers. It returns the
// session with those.
func (s *Service) Sync(ctx context.Context, w workflow.Workflow, developer id.ID, declared []workflow.Declaration, mirror bool) (Session, error) {
	session, err := s.sync(ctx, w, developer, declared, mirror)
	if fault.Is(err, fault.Conflict) {
		// A deployment or another developer was there first; its triggers exist now.
		session, err = s.sync(ctx, w, developer, declared, mirror)
	}
	if err != nil {
		return Session{}, err
	}
	s.Changed(w.ID)
	s.changed(ctx)
	return session, nil
}

func (s *Service) sync(ctx context.Context, w workflow.Workflow, developer id.ID, declared []workflow.Declaration, mirror bool) (Session, error) {
	existing, err := s.Store.Triggers(ctx, w.ID)
	if err != nil {
		return Session{}, err
	}
	plan, refusals, err := s.Planner.PlanDev(w, existing, declared)
	if err == nil && len(refusals) > 0 {
		err = trigger.RefusalFault(refusals)
	}
	if err != nil {
		return Session{}, err
	}
	now := s.Now()
	session := Session{
		ID: s.IDs.New(), OrganizationID: w.OrganizationID, WorkflowID: w.ID, DeveloperID: developer,
		Mirror: mirror, CreatedAt: now, ExpiresAt: now.Add(Grace), EndsAt: now.Add(MaxAge),
	}
	if session.ID, err = s.Store.SyncDevSession(ctx, Sync{Session: session, Use: plan.Use, Add: plan.Add, At: now}); err != nil {
		return Session{}, err
	}
	session.Triggers = append(plan.Use, plan.Add...)
	return session, nil
}

// Session returns a session of one of the organizations.
func (s *Service) Session(ctx context.Context, organizations []id.ID, session id.ID) (Session, error) {
	return s.Store.DevSession(ctx, organizations, session)
}

// Sessions returns the sessions of a workflow.
func (s *Service) Sessions(ctx context.Context, of id.ID) ([]Session, error) {
	return s.Store.DevSessions(ctx, of, id.ID{}, s.Now(), MaxSessions)
}

// Connected reports whether the developer of a session is known to be
// connected, which is when it takes events.
func (s *Service) Connected(x Session) bool { return s.table.Load().connected(s.Presence, &x) }

// End ends a session.
func (s *Service) End(ctx context.Context, x Session) error {
	if err := s.Store.EndDevSession(ctx, x.ID, s.Now()); err != nil {
		return err
	}
	s.Changed(x.WorkflowID)
	s.changed(ctx)
	return nil
}

// Accept implements trigger.Accepter: it has sessions take what is for them.
func (s *Service) Accept(ctx context.Context, a execution.Acceptance) (execution.Accepted, error) {
	a.Dev = s.table.Load().takers(s.Presence, a.TriggerID)
	return s.Executions.Accept(ctx, a)
}

// Hear takes note of what other processes stored, and of those who may do less
// than before: their sessions are over.
func (s *Service) Hear(n execution.Notice) {
	if !n.Anything && len(n.Principals) == 0 && len(n.Workflows) == 0 {
		return
	}
	s.again()
}

func (s *Service) again() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Start takes up the sessions that go on. Those whose developers were cut off
// together with the server have some time to come back.
func (s *Service) Start(ctx context.Context) error {
	now := s.Now()
	if err := s.Store.ReviveDevSessions(ctx, now.Add(-revived), now.Add(Grace)); err != nil {
		return err
	}
	s.look(ctx)
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done = make(chan struct{})
	go s.loop(ctx)
	return nil
}

// Stop ends the looking after sessions; they go on after the next start.
func (s *Service) Stop(context.Context) error {
	if s.stop != nil {
		s.stop()
		<-s.done
	}
	return nil
}

func (s *Service) loop(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
			if len(s.table.Load().sessions) == 0 {
				continue // others say so when there is one
			}
		}
		s.look(ctx)
	}
}
