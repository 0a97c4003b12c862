package runtimes

import (
	"context"
	"time"
)

const (
	// look is how often it is looked for runtimes that nobody makes ready, and
	// claim how long one is held alone without being renewed.
	look  = 2 * time.Second
	claim = 30 * time.Second
	renew = 2 * time.Second
	// making is how many are made ready at once, and maxTries how often one is
	// begun: whoever made it ready was killed in between.
	making   = 2
	maxTries = 3
	// prepareTime bounds a pull and a start, storeTime a statement.
	prepareTime = 15 * time.Minute
	storeTime   = 10 * time.Second
	// sweeping is how often images that nothing needs are removed, and sweepAgain
	// when it is tried again while somebody pushes.
	sweeping   = time.Hour
	sweepAgain = time.Minute
)

// Start begins to make runtimes ready and to remove images that nothing needs.
func (s *Service) Start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if s.Prepare != nil {
		for range making {
			s.work.Go(func() { s.make(ctx) })
		}
	}
	s.work.Go(func() { s.sweep(ctx) })
	return nil
}

// Stop ends it. What was under way goes on after the next start, or on another
// server.
func (s *Service) Stop(context.Context) error {
	s.stop()
	s.work.Wait()
	return nil
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// every calls do at once and then each time, or when it is woken, until ctx ends.
func every(ctx context.Context, each time.Duration, wake <-chan struct{}, do func()) {
	tick := time.NewTicker(each)
	defer tick.Stop()
	for ctx.Err() == nil {
		do()
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-wake:
		}
	}
}

func (s *Service) sweep(ctx context.Context) {
	var next time.Time
	every(ctx, sweepAgain, nil, func() {
		if s.Now().Before(next) {
			return
		}
		swept, err := s.Images.Sweep(ctx, s.Store.NeededImages)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("images that nothing needs could not be removed; trying again later", "error", err)
		}
		if swept {
			next = s.Now().Add(sweeping)
		}
	})
}

func (s *Service) make(ctx context.Context) {
	every(ctx, look, s.wake, func() {
		for s.one(ctx) {
		}
	})
}

// one makes one runtime ready and reports whether there was one.
func (s *Service) one(ctx context.Context) bool {
	bounded, cancel := context.WithTimeout(ctx, storeTime)
	now := s.Now()
	r, found, err := s.Store.ClaimRuntime(bounded, now, now.Add(claim))
	cancel()
	if err != nil && ctx.Err() == nil {
		s.Log.Error("runtimes to be made ready could not be looked for; trying again", "error", err)
	}
	if err != nil || !found {
		return false
	}
	if r.Tries > maxTries {
		r.Status = Failed
		r.say(now, "error", "Given up after %d tries that were cut off", maxTries)
		s.store(context.WithoutCancel(ctx), r)
		return true
	}
	s.prepare(ctx, r)
	return true
}

// prepare makes a runtime ready, renewing the claim and storing what is reported.
func (s *Service) prepare(ctx context.Context, r Runtime) {
	bounded, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	lines, ended := make(chan string), make(chan error, 1)
	go func() {
		ended <- s.Prepare(bounded, r.OrganizationID, s.Reference(r.OrganizationID, r.Digest), func(line string) {
			select {
			case lines <- line:
			case <-bounded.Done():
			}
		})
	}()
	tick := time.NewTicker(renew)
	defer tick.Stop()
	for {
		select {
		case line := <-lines:
			r.say(s.Now(), "info", "%s", line)
		case <-tick.C:
			if !s.store(ctx, r) {
				cancel() // another makes it ready
			}
		case err := <-ended:
			if ctx.Err() != nil {
				return // stopping; it is begun again
			}
			s.end(ctx, r, err)
			return
		}
	}
}

func (s *Service) end(ctx context.Context, r Runtime, err error) {
	r.Status = Completed
	if err != nil {
		r.Status = Failed
		r.say(s.Now(), "error", "%v", err)
	} else {
		r.say(s.Now(), "info", "Ready")
	}
	s.store(context.WithoutCancel(ctx), r)
}

// store stores how far a runtime is, and reports whether it is still ours to
// make.
func (s *Service) store(ctx context.Context, r Runtime) bool {
	bounded, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	now := s.Now()
	held, err := s.Store.ChangeRuntime(bounded, r, now, now.Add(claim))
	if err != nil && ctx.Err() == nil {
		s.Log.Error("how far a runtime is could not be stored", "runtime", r.ID, "error", err)
	}
	return held || err != nil
}
