package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/usefloww/flowwd/internal/pgtest"
)

// options are what a measurement can be told.
type options struct {
	binary  string
	seconds time.Duration
	// rounds is how often a start is measured.
	rounds int
	// samples is how many single events are followed to their first line.
	samples int
	// only names the one group of figures to measure; empty for all.
	only string
	// env is added to the environment of the servers.
	env []string
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/flowwd", "the program to measure")
	flag.DurationVar(&o.seconds, "time", 10*time.Second, "length of each load")
	flag.IntVar(&o.rounds, "rounds", 7, "starts to measure")
	flag.IntVar(&o.samples, "samples", 500, "events to follow to their first line")
	flag.StringVar(&o.only, "only", "", "measure only these, and write no file: start, line, cold, deploy, load, work, auth, live, images, pages, scale or takeover")
	out := flag.String("out", "bench/RESULTS.md", "file to write")
	checks := flag.Bool("check", false, "compare with the floor, write no file, and fail when flowwd is less than half as fast beside it as it was")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	work := func() error { return run(ctx, o, *out) }
	switch {
	case flag.NArg() == 2 && flag.Arg(0) == floorWord:
		work = func() error { return serveFloor(flag.Arg(1)) }
	case *checks:
		work = func() error { return check(ctx, o) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out string) error {
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return err
	}
	o.binary = binary
	// Not the system's temporary folder: that may be in memory, where syncing
	// costs nothing.
	work, err := os.MkdirTemp(".", ".bench-")
	if err != nil {
		return err
	}
	if work, err = filepath.Abs(work); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o711); err != nil { // PostgreSQL runs as its own user
		return err
	}
	defer os.RemoveAll(work)
	postgres, err := pgtest.New(pgtest.Options{Parent: work})
	if err != nil {
		return err
	}
	defer postgres.Remove() //nolint:errcheck // the folder around it goes too
	var r report
	for _, in := range []installation{
		{name: "SQLite", servers: 1},
		{name: "PostgreSQL", servers: 1, postgres: postgres},
		{name: "PostgreSQL, 3 servers", servers: 3, postgres: postgres},
	} {
		if err := r.measure(ctx, o, in, filepath.Join(work, fmt.Sprint(in.servers, in.postgres != nil))); err != nil {
			return fmt.Errorf("%s: %w", in.name, err)
		}
	}
	text := r.markdown(ctx, o)
	fmt.Print(text)
	if o.only != "" {
		return nil
	}
	return os.WriteFile(out, []byte(text), 0o644)
}
