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

// What there is once, and then ten and a hundred times.
const (
	scaleWorkflows  = 100
	scaleExecutions = 10_000
	// scaleSchedules is how many of the workflows run every minute.
	scaleSchedules = scaleWorkflows / furnished
)

// measureScale measures whether memory and latency depend on how much there is.
func measureScale(ctx context.Context, o options, in installation, work string, r *report) error {
	if in.servers > 1 {
		return nil // each would take as long as one alone
	}
	for _, times := range []int{1, 10, 100} {
		if err := measureSize(ctx, o, in, filepath.Join(work, fmt.Sprintf("scale-%d", times)), times, r); err != nil {
			return fmt.Errorf("%d times: %w", times, err)
		}
	}
	return nil
}

func measureSize(ctx context.Context, o options, in installation, work string, times int, r *report) error {
	backup, err := crowdBackup(ctx, o, work, "* * * * *", &crowd{
		workflows: scaleWorkflows * times, executions: scaleExecutions * times, busiest: scaleExecutions * times / 10,
	})
	if err != nil {
		return err
	}
	s, _, err := startRestored(ctx, o, in, backup, filepath.Join(work, "data"))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d workflows, %d schedules a minute, %d executions: ", scaleWorkflows*times, scaleSchedules*times, scaleExecutions*times)
	r.add(name+"start to ready", "%s", ms(s.started))
	f := fleet{s}
	return errors.Join(f.measureScaled(ctx, o, name, scaleSchedules*times, r), f.stop(), os.RemoveAll(work))
}

// measureScaled measures a server that has something to do every minute.
func (f fleet) measureScaled(ctx context.Context, o options, name string, schedules int, r *report) error {
	took, err := f.minute(ctx, schedules)
	if err != nil {
		return err
	}
	r.add(name+"begin of the minute → the last scheduled run has completed", "%s", ms(took))
	path, err := f[0].deploy(ctx, "scale", hello)
	if err != nil {
		return err
	}
	acknowledged, err := f.openLoop(ctx, path, 100, o.seconds)
	if err != nil {
		return err
	}
	r.add(name+"100 events/s: acknowledged", "p50 %s, p99 %s", ms(acknowledged.at(50)), ms(acknowledged.at(99)))
	shown, err := f[0].firstLines(ctx, slices.Repeat([]string{path}, o.samples), 10*time.Millisecond)
	if err != nil {
		return err
	}
	r.add(name+"event → first line", "p50 %s, p99 %s", ms(shown.at(50)), ms(shown.at(99)))
	bytes, children, err := f.memory()
	if err != nil {
		return err
	}
	r.add(name+"memory", "%d MB with %d children", bytes>>20, children)
	return nil
}

// minute waits for the next minute to begin and until all schedules have run.
func (f fleet) minute(ctx context.Context, schedules int) (time.Duration, error) {
	if err := f.drained(ctx); err != nil {
		return 0, err
	}
	before, err := f.completed()
	if err != nil {
		return 0, err
	}
	begin := time.Now().Truncate(time.Minute).Add(time.Minute)
	time.Sleep(time.Until(begin))
	ctx, cancel := context.WithDeadline(ctx, begin.Add(55*time.Second))
	defer cancel()
	for ctx.Err() == nil {
		now, err := f.completed()
		if err != nil {
			return 0, err
		}
		if now >= before+schedules {
			return time.Since(begin), nil
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("not all of %d schedules ran within the minute: %w", schedules, ctx.Err())
}
