package issuer

import (
	"context"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// retryPause is how long a provider that did not answer is left alone.
const retryPause = 2 * time.Second

// Document is something that a provider publishes, such as its keys. A copy is
// kept, renewed in use, and served on while the provider does not answer.
type Document[T any] struct {
	// Fetch reads the document anew, within a bounded time.
	Fetch func(context.Context) (T, error)
	// Lifetime is how long a copy is good. After that it is served while
	// somebody reads it anew, for Stale at the longest; 0 for as long as it takes.
	Lifetime, Stale time.Duration
	Now             func() time.Time

	mu      sync.Mutex
	current T
	// fetched is when the copy was read, zero before the first one.
	fetched time.Time
	// tried is when the last reading began, and failed what became of it.
	tried  time.Time
	failed error
	// flight is closed when the reading under way ends; nil when there is none.
	flight chan struct{}
}

// Get returns the copy, read anew when there is none that can be served;
// fault.Unavailable when that fails.
func (d *Document[T]) Get(ctx context.Context) (T, error) {
	d.mu.Lock()
	now := d.Now()
	resting := d.failed != nil && now.Sub(d.tried) < retryPause
	age := now.Sub(d.fetched)
	servable := !d.fetched.IsZero() && (d.Stale == 0 || age < d.Lifetime+d.Stale)
	if servable {
		if age >= d.Lifetime && !resting {
			d.begin(ctx)
		}
		defer d.mu.Unlock()
		return d.current, nil
	}
	if resting {
		defer d.mu.Unlock()
		var none T
		return none, Unavailable(d.failed)
	}
	flight := d.begin(ctx)
	d.mu.Unlock()
	return d.await(ctx, flight)
}

// Renew returns the document as it is now, read anew; fault.Unavailable when
// that fails.
func (d *Document[T]) Renew(ctx context.Context) (T, error) {
	d.mu.Lock()
	flight := d.begin(ctx)
	d.mu.Unlock()
	return d.await(ctx, flight)
}

// Failed returns why the last reading failed; nil when it did not.
func (d *Document[T]) Failed() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// begin starts a reading, unless one is under way. It goes on when the caller
// gives up, because others wait for it as well.
func (d *Document[T]) begin(ctx context.Context) chan struct{} {
	if d.flight != nil {
		return d.flight
	}
	flight := make(chan struct{})
	d.flight, d.tried = flight, d.Now()
	go func() {
		defer close(flight)
		read, err := d.Fetch(context.WithoutCancel(ctx))
		d.mu.Lock()
		defer d.mu.Unlock()
		d.flight, d.failed = nil, err
		if err == nil {
			d.current, d.fetched = read, d.Now()
		}
	}()
	return flight
}

func (d *Document[T]) await(ctx context.Context, flight chan struct{}) (T, error) {
	var none T
	select {
	case <-flight:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed != nil {
		return none, Unavailable(d.failed)
	}
	return d.current, nil
}

// Unavailable says that a provider does not answer, and why.
func Unavailable(cause error) error {
	f := fault.Because(cause, fault.Unavailable, "The identity provider does not answer, so nobody can tell whose login this is; try again in a moment")
	f.RetryAfter = retryPause
	return f
}
