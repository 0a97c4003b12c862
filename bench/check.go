package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A check compares flowwd with the floor in turn, so that what else the machine
// does is in both, and fails when the median of the ratios is below half of what
// was recorded: a regression that anybody would notice, and nothing less.
const (
	checkRounds = 5
	checkLength = 3 * time.Second
	checkSlack  = 0.5
)

// ratios are what was recorded, of events a second, on two processors that did
// nothing else.
var ratios = []struct {
	name     string
	clients  int
	recorded float64
	// completed counts until the last run has ended.
	completed bool
}{
	{"acknowledged, 1 client", 1, 0.50, false},
	{"acknowledged, 64 clients", 64, 0.38, false},
	{"completed, 64 clients", 64, 0.16, true},
}

func check(ctx context.Context, o options) error {
	work, err := os.MkdirTemp(".", ".bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if work, err = filepath.Abs(work); err != nil {
		return err
	}
	floor, stop, err := startFloor(ctx, work)
	if err != nil {
		return err
	}
	defer stop()
	s, err := startServer(ctx, o, filepath.Join(work, "data"), "")
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // the figures are there
	path, err := s.deploy(ctx, "check", hello)
	if err != nil {
		return err
	}
	if _, err := (fleet{s}).closedLoop(ctx, path, 8, checkLength); err != nil { // warms it up
		return err
	}
	var failed []error
	for _, r := range ratios {
		var all []float64
		for range checkRounds {
			if err := (fleet{s}).drained(ctx); err != nil {
				return err
			}
			least, err := (fleet{floor}).perSecond(ctx, "/", r.clients, false)
			if err != nil {
				return err
			}
			is, err := (fleet{s}).perSecond(ctx, path, r.clients, r.completed)
			if err != nil {
				return err
			}
			all = append(all, is/least)
			fmt.Printf("%-26s %7.0f/s, the floor %7.0f/s: %.3f\n", r.name, is, least, is/least)
		}
		slices.Sort(all)
		median, least := all[len(all)/2], r.recorded*checkSlack
		fmt.Printf("%-26s median %.3f, recorded %.3f, at least %.3f\n", r.name, median, r.recorded, least)
		if median < least {
			failed = append(failed, fmt.Errorf("%s: the ratio to the floor is %.3f, and %.3f at least is allowed", r.name, median, least))
		}
	}
	return errors.Join(failed...)
}

// perSecond is how many events clients send one after another, and when asked
// until the last one has run.
func (f fleet) perSecond(ctx context.Context, path string, clients int, completed bool) (float64, error) {
	begin := time.Now()
	took, err := f.closedLoop(ctx, path, clients, checkLength)
	if err == nil && completed {
		err = f.drained(ctx)
	}
	return float64(len(took)) / time.Since(begin).Seconds(), err
}
