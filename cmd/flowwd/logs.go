package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/usefloww/flowwd/internal/client"
	"github.com/usefloww/flowwd/internal/config"
)

// shownRuns is how many runs are shown that were there before.
const shownRuns = 20

type logsCommand struct {
	config.Client
	Of     string `arg:"" name:"DIR|WORKFLOW-ID" help:"Project folder that was deployed, or id of a workflow."`
	Follow bool   `name:"follow" short:"f" help:"Go on with what happens from now, until Ctrl-C."`
}

// Run prints the last runs of a workflow with their lines, oldest first.
func (c *logsCommand) Run(ctx context.Context, t *terminal) error {
	api, err := newClient(c.Client, t)
	if err != nil {
		return err
	}
	workflow, err := workflowOf(c.Of)
	if err != nil {
		return err
	}
	if c.Follow {
		return followRuns(ctx, api, workflow, t)
	}
	runs, err := api.Executions(ctx, workflow, shownRuns, 0)
	if err != nil {
		return err
	}
	p := &printer{out: t.stdout}
	for _, run := range slices.Backward(runs) {
		detail, err := api.Execution(ctx, run.ID)
		if err != nil {
			return err
		}
		p.run(detail)
	}
	return nil
}

// workflowOf returns the id of a workflow that is named by itself or by the
// project folder that it was deployed from.
func workflowOf(name string) (string, error) {
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return name, nil
	}
	project, err := client.ReadProject(name)
	if err != nil {
		return "", err
	}
	if project.WorkflowID == "" {
		return "", fmt.Errorf("the project in %s was not deployed yet; 'flowwd deploy %s' does that", name, name)
	}
	return project.WorkflowID, nil
}
