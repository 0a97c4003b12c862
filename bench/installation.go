package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/pgtest"
)

// installation is a way to run flowwd: a column of the results.
type installation struct {
	name    string
	servers int
	// postgres is where databases are made; nil for SQLite.
	postgres *pgtest.Server
}

// database makes an empty database and returns its address; empty for the file
// in the data folder.
func (i installation) database(ctx context.Context) (string, error) {
	if i.postgres == nil {
		return "", nil
	}
	return i.postgres.Database(ctx)
}

// start starts the servers of the installation on one new database.
func (i installation) start(ctx context.Context, o options, dir string) (fleet, error) {
	database, err := i.database(ctx)
	if err != nil {
		return nil, err
	}
	var f fleet
	for n := range i.servers {
		s, err := startServer(ctx, o, fmt.Sprintf("%s-%d", dir, n), database)
		if err != nil {
			return nil, errors.Join(err, f.stop())
		}
		f = append(f, s)
	}
	return f, nil
}

// fleet is servers on one database. Load goes to them in turn.
type fleet []*server

func (f fleet) stop() error {
	var failed []error
	for _, s := range f {
		failed = append(failed, s.stop())
	}
	return errors.Join(failed...)
}

// completed is how many runs the servers have completed.
func (f fleet) completed() (all int, err error) {
	for _, s := range f {
		n, err := s.completed()
		if err != nil {
			return 0, err
		}
		all += n
	}
	return all, nil
}

// memory is that of all servers and their children.
func (f fleet) memory() (all int64, children int, err error) {
	for _, s := range f {
		bytes, n, err := s.memory()
		if err != nil {
			return 0, 0, err
		}
		all, children = all+bytes, children+n
	}
	return all, children, nil
}

// runner is the server that has a run under way, the first of them.
func (f fleet) runner() (int, error) {
	for i, s := range f {
		if n, err := s.metric("flowwd_runs"); err != nil || n > 0 {
			return i, err
		}
	}
	return 0, errors.New("no server has a run under way")
}

// drained waits until nothing waits and nothing runs: the newest runs are final
// and their number stands still.
func (f fleet) drained(ctx context.Context) error {
	last := -1
	for ctx.Err() == nil {
		now, err := f.completed()
		if err != nil {
			return err
		}
		busy := false
		for _, s := range f {
			one, err := s.busy()
			if err != nil {
				return err
			}
			busy = busy || one
		}
		if !busy && now == last {
			return nil
		}
		last = now
		time.Sleep(20 * time.Millisecond)
	}
	return ctx.Err()
}
