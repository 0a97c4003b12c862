package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/usefloww/flowwd/internal/client"
	"github.com/usefloww/flowwd/internal/config"
)

// maxSecret is the longest value that is read, in bytes; the server knows the
// exact bound.
const maxSecret = 1 << 20

type secretCommand struct {
	List   secretList   `cmd:"" help:"List the secrets of the namespace, without their values."`
	Set    secretSet    `cmd:"" help:"Store a secret. Its value is read from standard input, or asked for."`
	Delete secretDelete `cmd:"" help:"Delete a secret; runs that ask for it fail from then on."`
}

// secretRef names a secret as code does.
type secretRef struct {
	Provider string `arg:"" name:"PROVIDER" help:"The first argument of Secret in the code."`
	Name     string `arg:"" name:"NAME" optional:"" default:"default" help:"The last argument of Secret in the code; default when it has none."`
	Field    string `name:"field" placeholder:"NAME" help:"A single field of the secret, kept beside the others."`
}

// stored is the name that the server keeps it by.
func (r secretRef) stored() string {
	if r.Field == "" {
		return r.Name
	}
	return r.Name + ":" + r.Field
}

func (r secretRef) String() string { return r.Provider + "/" + r.stored() }

type secretList struct {
	config.Client
	Provider string `name:"provider" placeholder:"NAME" help:"Only those of this provider."`
}

// Run prints a table of the secrets.
func (c *secretList) Run(ctx context.Context, t *terminal) error {
	api, err := newClient(c.Client, t)
	if err != nil {
		return err
	}
	secrets, err := api.Secrets(ctx, c.Provider, "")
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROVIDER\tNAME\tUPDATED")
	for _, s := range secrets {
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Provider, s.Name, when(&s.UpdatedAt))
	}
	return table.Flush()
}

type secretSet struct {
	config.Client
	secretRef
}

// Run stores what standard input says.
func (c *secretSet) Run(ctx context.Context, t *terminal) error {
	api, err := newClient(c.Client, t)
	if err != nil {
		return err
	}
	value, err := t.readSecret(c.String())
	if err != nil {
		return err
	}
	updated, err := api.PutSecret(ctx, c.Provider, c.stored(), value)
	if err != nil {
		return err
	}
	what := "stored"
	if updated {
		what = "replaced"
	}
	_, err = fmt.Fprintf(t.stdout, "%s %s\n", what, c)
	return err
}

// readSecret reads a value: what is typed, unseen, or all of standard input
// without the end of its last line.
func (t *terminal) readSecret(what string) (string, error) {
	if file, ok := t.stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprintf(t.stderr, "Value of %s (not shown): ", what)
		typed, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(t.stderr)
		if err != nil {
			return "", fmt.Errorf("read the value: %w", err)
		}
		return checkSecret(string(typed))
	}
	text, err := io.ReadAll(io.LimitReader(t.stdin, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read the value from standard input: %w", err)
	}
	return checkSecret(strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"))
}

func checkSecret(value string) (string, error) {
	switch {
	case value == "":
		return "", errors.New("standard input has no value; give one as in: printf %s \"$VALUE\" | flowwd secret set PROVIDER")
	case len(value) > maxSecret:
		return "", fmt.Errorf("the value has more than %d bytes", maxSecret)
	}
	return value, nil
}

type secretDelete struct {
	config.Client
	secretRef
}

// Run deletes the secret of a name.
func (c *secretDelete) Run(ctx context.Context, t *terminal) error {
	api, err := newClient(c.Client, t)
	if err != nil {
		return err
	}
	var found []client.Secret
	if found, err = api.Secrets(ctx, c.Provider, c.stored()); err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("there is no secret %s; 'flowwd secret list' shows those that there are", c)
	}
	if err := api.DeleteSecret(ctx, found[0].ID); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.stdout, "deleted %s\n", c)
	return err
}
