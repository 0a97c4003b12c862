package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/moving"
)

type migrateCommand struct {
	config.Data
	From      string `name:"from" placeholder:"DATABASE" help:"Database to copy: sqlite:FOLDER or postgres://user:password@host/name. 'sqlite' alone is that of --data-dir, 'postgres' alone that of --database-url."`
	To        string `name:"to" placeholder:"DATABASE" help:"Database to fill, named in the same way. It must be empty, or filled by an earlier migration and not used since."`
	Rehearsal bool   `name:"rehearsal" help:"Copy while the servers of the source go on. No server starts on such a copy; migrate again without this word."`
	TakeBack  string `name:"take-back" placeholder:"DATABASE" help:"Let servers start again on a database that was migrated, without what has happened in the copy since."`
}

// Run copies a database and prints the counts and sums that were compared.
func (c *migrateCommand) Run(ctx context.Context, t *terminal) error {
	if c.TakeBack != "" {
		if c.From != "" || c.To != "" || c.Rehearsal {
			return errors.New("--take-back stands alone: it names the database itself")
		}
		if err := moving.TakeBack(ctx, c.TakeBack, c.Data); err != nil {
			return err
		}
		_, err := fmt.Fprintln(t.stdout, "servers can start on this database again; make sure that none is left on the copy")
		return err
	}
	if c.From == "" || c.To == "" {
		return errors.New("missing flags: --from=DATABASE and --to=DATABASE; see 'flowwd migrate --help'")
	}
	progress := newProgress(t.stderr)
	defer progress.end()
	sums, err := moving.Migrate{
		From: c.From, To: c.To, Data: c.Data, Rehearsal: c.Rehearsal, Now: time.Now, Report: progress.report,
	}.Run(ctx)
	if err != nil {
		return err
	}
	progress.end()
	table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TABLE\tROWS\tSHA-256 OF BOTH")
	for _, sum := range sums {
		fmt.Fprintf(table, "%s\t%d\t%x\n", sum.Table, sum.Rows, sum.SHA256[:8])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	text := "the copy is complete: serve it; no server starts on the source any more"
	if c.Rehearsal {
		text = "the rehearsal is complete: stop the servers of the source and migrate again without --rehearsal"
	}
	_, err = fmt.Fprintln(t.stdout, text)
	return err
}
