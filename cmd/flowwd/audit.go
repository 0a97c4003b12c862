package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dustin/go-humanize"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/config"
)

type auditCommand struct {
	Export auditExport `cmd:"" help:"Print the audit log as JSON lines, oldest entry first."`
	Verify auditVerify `cmd:"" help:"Check that no entry was changed, removed or put in between."`
}

type auditExport struct{ config.Data }

// Run prints the log and nothing else, for use in scripts.
func (c *auditExport) Run(ctx context.Context, t *terminal) error {
	return withAdmin(ctx, t, c.Data, false, func(admin *app.Admin) error {
		out := bufio.NewWriter(t.stdout)
		return errors.Join(admin.ExportAudit(ctx, out), out.Flush())
	})
}

type auditVerify struct {
	config.Data
	File string `arg:"" optional:"" name:"FILE" help:"Export to check, - for standard input; without it, the log in the database is checked."`
	Gaps bool   `name:"gaps" help:"The export is one of a single organization, which has gaps where entries of others are."`
}

// Run says what was checked, for people.
func (c *auditVerify) Run(ctx context.Context, t *terminal) error {
	if c.File != "" {
		return c.file(t)
	}
	return withAdmin(ctx, t, c.Data, false, func(admin *app.Admin) error {
		n, err := admin.VerifyAudit(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.stdout, "the audit log holds: %s entries\n", humanize.Comma(n))
		return err
	})
}

func (c *auditVerify) file(t *terminal) error {
	var in io.Reader = os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	s, err := app.VerifyAuditExport(in, c.Gaps)
	if err != nil {
		return fmt.Errorf("%s does not hold: %w", c.File, err)
	}
	if s.Entries == 0 {
		_, err = fmt.Fprintf(t.stdout, "%s holds no entries\n", c.File)
		return err
	}
	_, err = fmt.Fprintf(t.stdout, "%s holds: %s entries, from %d to %d, %s missing between them; the last one has the hash %s\n",
		c.File, humanize.Comma(s.Entries), s.First, s.Last, humanize.Comma(s.Missing), s.Hash)
	return err
}
