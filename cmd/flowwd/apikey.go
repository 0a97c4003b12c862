package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/config"
)

type apikeyCommand struct {
	Create apikeyCreate `cmd:"" help:"Make an API key and print it, the only time that it is shown."`
	List   apikeyList   `cmd:"" help:"List the API keys."`
	Revoke apikeyRevoke `cmd:"" help:"Revoke API keys."`
}

type apikeyCreate struct {
	config.Data
	Name     string   `name:"name" required:"" placeholder:"NAME" help:"What the key is for."`
	Role     string   `name:"role" default:"admin" enum:"viewer,member,admin" placeholder:"ROLE" help:"What the key's service account is in the organization: viewer, member or admin."`
	Scope    []string `name:"scope" sep:"," placeholder:"WORD" help:"Make the key for less than the role allows: read, deploy, invoke, with commas between them."`
	Workflow string   `name:"workflow" placeholder:"ID" help:"Make the key for this workflow alone."`
	Expires  lifetime `name:"expires" placeholder:"TIME" help:"Have the key end after a time such as 30d or 12h."`
}

// Run prints the key and nothing else, for use in scripts.
func (c *apikeyCreate) Run(ctx context.Context, t *terminal) error {
	return withAdmin(ctx, t, c.Data, true, func(admin *app.Admin) error {
		key, err := admin.CreateKey(ctx, app.KeyOptions{
			Name: c.Name, Role: c.Role, Scope: c.Scope, Workflow: c.Workflow, Lifetime: time.Duration(c.Expires),
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(t.stdout, key)
		return err
	})
}

type apikeyList struct{ config.Data }

// Run prints a table of the keys.
func (c *apikeyList) Run(ctx context.Context, t *terminal) error {
	return withAdmin(ctx, t, c.Data, false, func(admin *app.Admin) error {
		keys, err := admin.Keys(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tPREFIX\tCREATED\tLAST USED\tREVOKED\tEXPIRES\tROLE\tFOR")
		for _, key := range keys {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
				key.ID, key.Name, key.Prefix, when(&key.CreatedAt), when(key.LastUsedAt), when(key.RevokedAt), when(key.ExpiresAt), key.Role, key.Scope)
		}
		return table.Flush()
	})
}

type apikeyRevoke struct {
	config.Data
	Key string `arg:"" name:"REF" help:"Id, name or text of the key. All keys of that name are revoked."`
}

// Run prints which keys were revoked.
func (c *apikeyRevoke) Run(ctx context.Context, t *terminal) error {
	return withAdmin(ctx, t, c.Data, false, func(admin *app.Admin) error {
		revoked, err := admin.RevokeKeys(ctx, c.Key)
		if err != nil {
			return err
		}
		for _, key := range revoked {
			fmt.Fprintf(t.stdout, "revoked %s %s (%s…)\n", key.ID, key.Name, key.Prefix)
		}
		return nil
	})
}

// lifetime is a time that may be given in days.
type lifetime time.Duration

// UnmarshalText reads a whole number of days, such as 30d, or what Go reads.
func (l *lifetime) UnmarshalText(text []byte) error {
	if number, ok := strings.CutSuffix(string(text), "d"); ok {
		if days, err := strconv.ParseUint(number, 10, 12); err == nil && days > 0 {
			*l = lifetime(time.Duration(days) * 24 * time.Hour)
			return nil
		}
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no time to live; give one like 30d or 12h", text)
	}
	*l = lifetime(d)
	return nil
}

// withAdmin opens an installation, made when create is set, for one action.
func withAdmin(ctx context.Context, t *terminal, data config.Data, create bool, do func(*app.Admin) error) error {
	log := slog.New(slog.NewTextHandler(t.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	admin, err := app.OpenAdmin(ctx, data, create, log)
	if err != nil {
		return err
	}
	return errors.Join(do(admin), admin.Close())
}

// when writes a time, or a dash when there is none.
func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
