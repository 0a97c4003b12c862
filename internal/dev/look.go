package dev

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

const (
	presentTimeout = 2 * time.Second
	// asking is how many are asked for at once.
	asking = 8
	page   = 200
	// maxHeld is how many sessions are looked after; those beyond take no
	// events.
	maxHeld = 5000
)

// look asks which developers are connected, renews their sessions, and ends
// those that are over.
func (s *Service) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := s.read(ctx, s.ask)
	if err == nil {
		err = s.expire(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Warn("development sessions could not be looked after; trying again", "error", err)
	}
}

// changed reads the sessions again after one of them changed, asking nobody. When
// that fails it is tried again in the background.
func (s *Service) changed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	err := s.read(ctx, func(_ context.Context, t *table) error {
		t.present = s.table.Load().present
		return nil
	})
	if err != nil {
		s.Log.Warn("development sessions could not be read; trying again", "error", err)
	}
	s.again()
}

// read puts the sessions that go on into the table, after fill has said who is
// connected.
func (s *Service) read(ctx context.Context, fill func(context.Context, *table) error) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	next := &table{}
	var after id.ID
	for len(next.sessions) < maxHeld {
		// Those that are over as well: whose developer is connected goes on.
		found, err := s.Store.DevSessions(ctx, id.ID{}, after, time.Time{}, page)
		if err != nil {
			return err
		}
		next.sessions = append(next.sessions, found...)
		if len(found) < page {
			break
		}
		after = found[len(found)-1].ID
	}
	if err := fill(ctx, next); err != nil {
		return err
	}
	now := s.Now()
	next.sessions = slices.DeleteFunc(next.sessions, func(x Session) bool { return !x.ExpiresAt.After(now) })
	next.index()
	s.table.Store(next)
	return nil
}

// ask asks who is connected, and renews the sessions of those who are and of
// those of whom it can't be known now.
func (s *Service) ask(ctx context.Context, t *table) error {
	answers := make([]answer, len(t.sessions))
	var all sync.WaitGroup
	places := make(chan struct{}, asking)
	for i := range t.sessions {
		places <- struct{}{}
		all.Go(func() {
			answers[i] = s.present(ctx, &t.sessions[i])
			<-places
		})
	}
	all.Wait()
	now := s.Now()
	t.present = map[id.ID]bool{}
	var alive []id.ID
	for i, a := range answers {
		x := &t.sessions[i]
		if a.present {
			t.present[x.ID] = true
		}
		if (a.present || a.err != nil) && x.renewable(now) {
			alive = append(alive, x.ID)
			x.ExpiresAt = now.Add(Grace)
			if x.ExpiresAt.After(x.EndsAt) {
				x.ExpiresAt = x.EndsAt
			}
		}
	}
	if len(alive) == 0 {
		return nil
	}
	return s.Store.RenewDevSessions(ctx, alive, now.Add(Grace))
}

// answer says whether a developer is connected, unless that can't be known.
type answer struct {
	present bool
	err     error
}

func (s *Service) present(ctx context.Context, x *Session) answer {
	if present, known := s.Presence.Here(x.WorkflowID, x.DeveloperID); known {
		return answer{present: present}
	}
	ctx, cancel := context.WithTimeout(ctx, presentTimeout)
	defer cancel()
	present, err := s.Presence.Present(ctx, x.WorkflowID, x.DeveloperID)
	if err != nil {
		s.Log.Debug("it is not known whether a developer is connected", "session", x.ID, "error", err)
	}
	return answer{present && err == nil, err}
}

// renewable reports whether a session should and may go on longer. Half of the
// time is left for the next looks, so that few of them write.
func (x *Session) renewable(now time.Time) bool {
	return x.ExpiresAt.After(x.CreatedAt) && x.ExpiresAt.Sub(now) < Grace/2 && now.Before(x.EndsAt) && x.ExpiresAt.Before(x.EndsAt)
}

// expire removes the sessions that are over.
func (s *Service) expire(ctx context.Context) error {
	ended, err := s.Store.ExpireDevSessions(ctx, s.Now(), page)
	for _, x := range ended {
		s.Log.Info("a development session is over", "session", x.ID, "workflow", x.WorkflowID)
		s.Changed(x.WorkflowID)
	}
	return err
}
