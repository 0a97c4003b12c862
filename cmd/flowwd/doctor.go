package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/config"
)

type doctorCommand struct{ config.Settings }

// Run prints one line for each problem, and nothing when there is none.
func (c *doctorCommand) Run(ctx context.Context, t *terminal) error {
	problems := app.Doctor(ctx, c.Settings)
	for _, problem := range problems {
		fmt.Fprintln(t.stdout, strings.ReplaceAll(problem.Error(), "\n", " "))
	}
	if len(problems) > 0 {
		return errReported
	}
	return nil
}
