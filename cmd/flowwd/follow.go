package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/client"
)

const (
	// lookEvery is how often new runs are looked for.
	lookEvery = 300 * time.Millisecond
	// patience is how long the server may be away, to be started again.
	patience = 15 * time.Second
	// overlap is how much later than a younger run an older one may turn up.
	overlap = 10 * time.Second
	// maxFollowed is how many runs are followed at the same time; more wait.
	maxFollowed = 32
)

// followRuns prints what happens to the runs of a workflow from now on: those
// under way and every new one, until ctx ends.
func followRuns(ctx context.Context, api *client.Client, workflow string, t *terminal) error {
	f := &follower{api: api, workflow: workflow, terminal: t, printer: &printer{out: t.stdout}, seen: map[string]time.Time{}, slots: make(chan struct{}, maxFollowed)}
	// ctx is the end that the person at the keyboard wants, and no failure.
	err := f.watch(ctx)
	f.following.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

type follower struct {
	api      *client.Client
	workflow string
	terminal *terminal
	printer  *printer
	// seen are the runs of the last while, with the time they were received.
	seen      map[string]time.Time
	slots     chan struct{}
	following sync.WaitGroup
}

func (f *follower) watch(ctx context.Context) error {
	// What has ended before is not news.
	runs, err := f.look(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(f.terminal.stderr, "Runs are shown from now on, until Ctrl-C.")
	f.followAll(ctx, slices.DeleteFunc(runs, client.Execution.Final))
	answered := time.Now()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		switch runs, err := f.look(ctx); {
		case err == nil:
			answered = time.Now()
			f.followAll(ctx, runs)
		case refused(err) || time.Since(answered) > patience:
			return err
		}
	}
}

// look returns the runs that were not seen before, newest first.
func (f *follower) look(ctx context.Context) ([]client.Execution, error) {
	const page, maxPages = 50, 20
	var found []client.Execution
	since := f.newest().Add(-overlap)
	for offset := 0; offset < page*maxPages; offset += page {
		runs, err := f.api.Executions(ctx, f.workflow, page, offset)
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			if _, seen := f.seen[run.ID]; !seen && run.ReceivedAt.After(since) {
				f.seen[run.ID] = run.ReceivedAt
				found = append(found, run)
			}
		}
		if len(runs) < page || !runs[len(runs)-1].ReceivedAt.After(since) {
			break
		}
	}
	since = f.newest().Add(-overlap)
	maps.DeleteFunc(f.seen, func(_ string, received time.Time) bool { return received.Before(since) })
	return found, nil
}

// newest is when the newest run that was seen was received.
func (f *follower) newest() time.Time {
	var newest time.Time
	for _, received := range f.seen {
		if received.After(newest) {
			newest = received
		}
	}
	return newest
}

// followAll prints runs that are under way beside each other, and those that
// have ended one after the other, oldest first.
func (f *follower) followAll(ctx context.Context, runs []client.Execution) {
	for _, run := range slices.Backward(runs) {
		if run.Final() {
			f.follow(ctx, run)
			continue
		}
		select {
		case f.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		f.following.Go(func() {
			defer func() { <-f.slots }()
			f.follow(ctx, run)
		})
	}
}

// follow prints one run to its end. The stream begins with the state that the
// run has by then, so that a final one is kept until all lines are printed.
func (f *follower) follow(ctx context.Context, run client.Execution) {
	f.printer.received(run)
	for event, err := range f.api.Follow(ctx, run.ID) {
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			f.printer.lost(run.ID, err)
			return
		case event.Log != nil:
			f.printer.log(run.ID, *event.Log)
		case event.State.Final():
			run = *event.State
		default:
			f.printer.state(*event.State)
		}
	}
	f.printer.state(run)
}

// refused reports whether the server answered that it won't.
func refused(err error) bool {
	var answer *client.Error
	return errors.As(err, &answer) && answer.Status < 500
}
