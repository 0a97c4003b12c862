package execution_test

import (
	"context"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// faulty is a store between which and the service answers get lost.
type faulty struct {
	execution.Store
	mu sync.Mutex
	// refuse counts the next calls of a method that fail before they do
	// anything; lose those that do their work and then fail.
	refuse, lose map[string]int
	// shared has the service think that others may use the database.
	shared bool
	// looking is told of each look at the queue, which then goes on when it is closed;
	// nil for no such wait.
	looking chan struct{}
}

func (f *faulty) Shared() bool { return f.shared }

func newFaulty(s execution.Store) *faulty {
	return &faulty{Store: s, refuse: map[string]int{}, lose: map[string]int{}}
}

// plan changes which calls fail.
func (f *faulty) plan(change func(*faulty)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *faulty) take(counts map[string]int, method string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if counts[method] == 0 {
		return false
	}
	counts[method]--
	return true
}

// left reports whether planned faults have not happened.
func (f *faulty) left() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, counts := range []map[string]int{f.refuse, f.lose} {
		for _, n := range counts {
			if n > 0 {
				return true
			}
		}
	}
	return false
}

func (f *faulty) call(method string, do func() error) error {
	down := fault.New(fault.Unavailable, "the database does not answer")
	if f.take(f.refuse, method) {
		return down
	}
	err := do()
	if err == nil && f.take(f.lose, method) {
		return down
	}
	return err
}

func (f *faulty) AcceptExecution(ctx context.Context, a execution.Acceptance) (got execution.Accepted, err error) {
	err = f.call("accept", func() error {
		got, err = f.Store.AcceptExecution(ctx, a)
		return err
	})
	if err == nil && got.Claim != nil {
		err = f.call("accept with a claim", func() error { return nil })
	}
	return got, err
}

func (f *faulty) AppendLog(ctx context.Context, l execution.Lease, c execution.LogChunk) error {
	return f.call("append", func() error { return f.Store.AppendLog(ctx, l, c) })
}

func (f *faulty) FinishExecution(ctx context.Context, c *execution.Claim, o execution.Outcome) error {
	return f.call("finish", func() error { return f.Store.FinishExecution(ctx, c, o) })
}

func (f *faulty) InterruptExecution(ctx context.Context, l execution.Lease, in execution.Interruption) (s execution.State, err error) {
	err = f.call("interrupt", func() error {
		s, err = f.Store.InterruptExecution(ctx, l, in)
		return err
	})
	return s, err
}

func (f *faulty) RetryExecution(ctx context.Context, l execution.Lease, failure execution.Failure) (s execution.State, err error) {
	err = f.call("retry", func() error {
		s, err = f.Store.RetryExecution(ctx, l, failure)
		return err
	})
	return s, err
}

func (f *faulty) ClaimExecutions(ctx context.Context, incarnation id.ID, limit int, now time.Time) (got []execution.Claim, err error) {
	f.mu.Lock()
	looking := f.looking
	f.mu.Unlock()
	if looking != nil {
		looking <- struct{}{}
		<-looking
	}
	got, err = f.Store.ClaimExecutions(ctx, incarnation, limit, now)
	if err != nil || len(got) == 0 {
		return got, err // there is no answer to lose
	}
	if err := f.call("claim", func() error { return nil }); err != nil {
		return nil, err
	}
	return got, nil
}
