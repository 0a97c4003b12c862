package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/moving"
)

type backupCommand struct {
	config.Data
	File  string `arg:"" name:"FILE" help:"File to write."`
	Force bool   `name:"force" help:"Replace the file when it is there."`
	Read  bool   `name:"check" help:"Write nothing: read the file, and say whether it is whole."`
}

// Run writes or reads a file and says what is in it.
func (c *backupCommand) Run(ctx context.Context, t *terminal) error {
	progress := newProgress(t.stderr)
	defer progress.end()
	if c.Read {
		s, err := moving.Check(ctx, c.File, progress.report)
		if err != nil {
			return err
		}
		return printSummary(t, c.File+" is whole", s)
	}
	s, err := moving.Backup{
		Data: c.Data, File: c.File, Force: c.Force, Version: buildInfo().version, Now: time.Now, Report: progress.report,
	}.Run(ctx)
	if err != nil {
		return err
	}
	return printSummary(t, c.File+" is written and was read again", s)
}

func printSummary(t *terminal, what string, s moving.Summary) error {
	keys := "no keys"
	if len(s.Keys) > 0 {
		keys = "keys: " + strings.Join(s.Keys, ", ")
	}
	_, err := fmt.Fprintf(t.stdout, "%s: %s rows in %d tables, %s; %s, schema %d, of %s; %s\n",
		what, humanize.Comma(s.Sums.Rows()), len(s.Sums), humanize.IBytes(uint64(s.Size)),
		s.Header.Database, s.Header.Schema, when(&s.Header.CreatedAt), keys)
	return err
}

type restoreCommand struct {
	config.Data
	File string `arg:"" name:"FILE" help:"File that 'flowwd backup' wrote."`
}

// Run restores a file and says what was in it.
func (c *restoreCommand) Run(ctx context.Context, t *terminal) error {
	progress := newProgress(t.stderr)
	defer progress.end()
	s, err := moving.Restore{Data: c.Data, File: c.File, Now: time.Now, Report: progress.report}.Run(ctx)
	if err != nil {
		return err
	}
	return printSummary(t, c.File+" is restored and was compared", s)
}
