package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
)

// Bounds of the writer.
const (
	// maxQueued is how many units may wait; callers beyond wait for a place.
	maxQueued = 1024
	// maxBatch is how many units share a commit.
	maxBatch = 256
	// maxVictim is how often a unit makes way for others before it is refused.
	maxVictim = 5
	// unitTimeout is how long a unit waits whose caller sets no deadline.
	unitTimeout = 30 * time.Second
)

// writer runs units one after another on the one connection that writes, and
// commits many at once.
type writer struct {
	conn *conn
	// most is how many units share a commit.
	most     int
	now      func() time.Time
	measures measures
	// after is told what a batch has changed, once it is committed; nil for
	// nobody. It must not block.
	after func(*notices, []execution.Ended)

	mu     sync.RWMutex // held for reading while a unit is put into the queue
	closed bool
	queue  chan *unit
	done   chan struct{}

	// tries counts transactions, and underway is the number of the one that goes
	// on; 0 for none.
	tries    int64
	underway atomic.Int64
}

// unit is one store method's work on its way through the writer.
type unit struct {
	ctx    context.Context
	run    func(*tx) error
	state  atomic.Int32
	queued time.Time
	answer chan error
}

// The states of a unit: whoever moves it away from waiting decides whether it
// runs.
const (
	unitWaiting int32 = iota
	unitTaken
	unitLeft
)

var errClosed = fault.New(fault.Unavailable, "the database is closed")

func newWriter(c *conn, most int, now func() time.Time) *writer {
	w := &writer{
		conn: c, most: most, now: now,
		queue: make(chan *unit, maxQueued), done: make(chan struct{}),
	}
	go w.loop()
	go w.watch()
	return w
}

// do runs a unit and returns its answer after the commit. A unit whose context
// ends before its turn does not run. Once its turn has come, do waits for the
// commit in any case, so that what it returns is what happened.
func (w *writer) do(ctx context.Context, run func(*tx) error) error {
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel := context.WithTimeout(ctx, unitTimeout)
		defer cancel()
		ctx = limited
	}
	u := &unit{ctx: ctx, run: run, queued: w.now(), answer: make(chan error, 1)}
	if err := w.enqueue(u); err != nil {
		return err
	}
	select {
	case err := <-u.answer:
		return err
	case <-ctx.Done():
		if u.state.CompareAndSwap(unitWaiting, unitLeft) {
			return busy(ctx.Err())
		}
		return <-u.answer
	}
}

func busy(cause error) error {
	return fault.Because(cause, fault.Unavailable, "the database is busy; try again later")
}

func (w *writer) enqueue(u *unit) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- u:
		return nil
	default:
	}
	select {
	case w.queue <- u:
		return nil
	case <-u.ctx.Done():
		return busy(u.ctx.Err())
	}
}

// close lets the waiting units finish and ends the writer.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
}

func (w *writer) loop() {
	defer close(w.done)
	batch := make([]*unit, 0, maxBatch)
	for u := range w.queue {
		// Who is about to put a unit into the queue and waits for a processor
		// only does so now, and shares this commit, which costs as much as ten
		// units do.
		runtime.Gosched()
		batch = w.collect(append(batch[:0], u))
		if len(batch) > 0 {
			w.commit(batch)
		}
		clear(batch)
	}
}

// collect adds what waits to a batch and leaves out the units whose callers
// have gone.
func (w *writer) collect(batch []*unit) []*unit {
	for len(batch) < w.most {
		select {
		case u, ok := <-w.queue:
			if !ok {
				return w.take(batch)
			}
			batch = append(batch, u)
		default:
			return w.take(batch)
		}
	}
	return w.take(batch)
}

func (w *writer) take(batch []*unit) []*unit {
	taken := batch[:0]
	now := w.now()
	for _, u := range batch {
		if u.ctx.Err() == nil && u.state.CompareAndSwap(unitWaiting, unitTaken) {
			w.measures.waited(now.Sub(u.queued))
			taken = append(taken, u)
			continue
		}
		u.answer <- busy(context.Cause(u.ctx))
	}
	return taken
}

// commit runs a batch in one transaction. When the transaction as a whole
// fails, its units are run again one by one, so that one that can't be
// committed takes no other with it.
func (w *writer) commit(batch []*unit) {
	answers, err := w.try(batch, false)
	if err != nil && !w.hopeless(err) {
		answers, err = w.again(batch)
	}
	if err == nil {
		w.measures.committed(len(batch))
		for i, u := range batch {
			u.answer <- answers[i]
		}
		return
	}
	if len(batch) == 1 || w.hopeless(err) {
		w.refuse(batch, err)
		return
	}
	w.measures.replayed()
	for i := range batch {
		alone := batch[i : i+1]
		answers, err := w.again(alone)
		switch {
		case err == nil:
			w.measures.committed(1)
			alone[0].answer <- answers[0]
		case isOpening(err):
			// The others would fail the same way, each after the same wait.
			w.refuse(batch[i:], err)
			return
		default:
			w.refuse(alone, err)
		}
	}
}

// again runs a batch with care. A unit by itself that has to make way for another
// transaction, such as a batch of another server that locks more than one thing,
// is run until it has its turn.
func (w *writer) again(batch []*unit) (answers []error, err error) {
	for range maxVictim {
		answers, err = w.try(batch, true)
		if err == nil || len(batch) > 1 || w.conn.dialect.class(err) != classVictim {
			break
		}
	}
	return answers, err
}

// refuse answers units that were not stored.
func (w *writer) refuse(batch []*unit, err error) {
	w.measures.failed()
	for _, u := range batch {
		u.answer <- err
	}
}

// openingError is a transaction that could not begin, endingError one whose commit
// failed.
type (
	openingError struct{ cause error }
	endingError  struct{ cause error }
)

func (e *openingError) Error() string { return "begin a transaction: " + e.cause.Error() }
func (e *openingError) Unwrap() error { return e.cause }

func (e *endingError) Error() string { return "commit a transaction: " + e.cause.Error() }
func (e *endingError) Unwrap() error { return e.cause }

func isOpening(err error) bool {
	var opening *openingError
	return errors.As(err, &opening)
}

// hopeless reports whether a batch must not be run again: no transaction can begin,
// the server does not answer, or the connection went while the batch was committed.
// Nobody knows then whether it was, and a unit that is run again might find its own
// doing.
func (w *writer) hopeless(err error) bool {
	var ending *endingError
	return isOpening(err) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ending) && w.conn.dialect.class(err) == classLost
}

// try runs a batch in one transaction and returns the answers of its units. On
// an error nothing of it is stored.
func (w *writer) try(batch []*unit, careful bool) (answers []error, err error) {
	w.tries++
	w.underway.Store(w.tries)
	defer w.underway.Store(0)
	t, release, err := begin(w.conn, careful)
	defer release()
	if err != nil {
		return nil, &openingError{err}
	}
	defer func() {
		if err != nil {
			// The transaction may be gone already; there is nothing to do about
			// a failure here, and the first error says more.
			_ = t.rollback()
		}
	}()
	answers = make([]error, len(batch))
	for i, u := range batch {
		answer, broken := t.do(u.run)
		if broken != nil {
			return nil, errors.Join(answer, broken)
		}
		answers[i] = answer
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	if err := t.control(sqlCommit); err != nil {
		return nil, &endingError{err}
	}
	if w.after != nil {
		w.after(t.notices, t.ended)
	}
	return answers, nil
}
