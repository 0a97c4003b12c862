package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Event is what happened to a run that is followed: a line or a new state.
// Exactly one of the two is set.
type Event struct {
	Log   *LogLine
	State *Execution
}

// How often and how long to wait between attempts to connect again. A stream
// that brought something new starts the count again.
const (
	maxReconnects = 10
	firstWait     = time.Second
	maxWait       = 15 * time.Second
)

// Follow yields what happens to a run, from its beginning to its end. A stream
// that breaks is opened again where it broke. The sequence ends after the last
// line and state of a run that has ended, or with an error.
func (c *Client) Follow(ctx context.Context, execution string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f := &follower{client: c, execution: execution, wait: firstWait}
		for failures := 0; ; failures++ {
			before := f.seen
			err := f.stream(ctx, yield)
			switch {
			case errors.Is(err, errStopped), err == nil:
				return
			case ctx.Err() != nil:
				yield(Event{}, ctx.Err())
				return
			case permanent(err):
				yield(Event{}, err)
				return
			}
			if f.seen > before {
				failures = 0
			}
			if failures == maxReconnects {
				yield(Event{}, fmt.Errorf("gave up following run %s: %w", execution, err))
				return
			}
			if err := pause(ctx, min(f.wait<<failures, maxWait)); err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

// errStopped ends a stream whose reader wants no more.
var errStopped = errors.New("the reader stopped")

// errBroken is a stream that ended before its run.
var errBroken = errors.New("the stream ended before the run")

// permanent reports whether asking again would give the same answer.
func permanent(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.Status < 500 && answer.Status != http.StatusTooManyRequests ||
		errors.Is(err, errMalformed)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follower is what one Follow remembers from stream to stream.
type follower struct {
	client    *Client
	execution string
	// last is the id of the last event that has one.
	last string
	// state is the last state, as it was sent.
	state []byte
	final bool
	// seen counts the events.
	seen int
	// wait is the time that the server asks for before a new connection.
	wait time.Duration
}

// stream reads one stream; nil when the run has ended and all of it was read.
func (f *follower) stream(ctx context.Context, yield func(Event, error) bool) error {
	header := http.Header{"Accept": {"text/event-stream"}}
	if f.last != "" {
		header.Set("Last-Event-ID", f.last)
	}
	path := "/api/executions/" + url.PathEscape(f.execution) + "/events"
	resp, err := f.client.send(ctx, http.MethodGet, f.client.address(path, nil), nil, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	events := newEventReader(resp.Body)
	for {
		event, err := events.next()
		switch {
		case errors.Is(err, io.EOF) && f.final:
			return nil
		case errors.Is(err, io.EOF):
			return errBroken
		case err != nil:
			return fmt.Errorf("follow run %s: %w", f.execution, err)
		}
		if event.retry > 0 {
			f.wait = event.retry
		}
		if event.name == "end" {
			return nil
		}
		if err := f.take(event, yield); err != nil {
			return err
		}
	}
}

// take yields one event.
func (f *follower) take(event serverEvent, yield func(Event, error) bool) error {
	var out Event
	switch event.name {
	case "log":
		out.Log = &LogLine{}
		if err := json.Unmarshal(event.data, out.Log); err != nil {
			return fmt.Errorf("%w: a line of the log: %w", errMalformed, err)
		}
	case "state":
		if bytes.Equal(event.data, f.state) {
			return nil
		}
		out.State = &Execution{}
		if err := json.Unmarshal(event.data, out.State); err != nil {
			return fmt.Errorf("%w: a state: %w", errMalformed, err)
		}
		f.state, f.final = event.data, out.State.Final()
	default:
		return nil
	}
	f.seen++
	if event.id != "" {
		f.last = event.id
	}
	if !yield(out, nil) {
		return errStopped
	}
	return nil
}
