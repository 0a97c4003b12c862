package docker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// run is what a container may do for the server while one execution is in it.
type run struct {
	execution id.ID
	// token is what the container shows; it is good for this run alone.
	token string
	ctx   context.Context
	ask   engine.Ask

	mu       sync.Mutex
	reported *completion
}

// begin lets the container speak for a run.
func (in *instance) begin(ctx context.Context, call engine.Invocation) (*run, error) {
	token, err := tokenOf(ctx, call.Ask)
	if err != nil {
		return nil, fmt.Errorf("make the token of a run: %w", err)
	}
	r := &run{execution: call.ExecutionID, token: token, ctx: ctx, ask: call.Ask}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.runs[r.execution] != nil {
		return nil, fmt.Errorf("the execution %s is in its container already", r.execution)
	}
	in.runs[r.execution] = r
	return r, nil
}

func (in *instance) end(r *run) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.runs, r.execution)
}

func (in *instance) wasKilled() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.killed
}

func (in *instance) knows(program workflow.Hash) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.known[program]
}

func (in *instance) learn(program workflow.Hash) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.known[program] = true
}

// tokenOf asks the server for the run's own token. Where nobody answers
// questions, any text that nobody else knows will do.
func tokenOf(ctx context.Context, ask engine.Ask) (string, error) {
	if ask == nil {
		return rand.Text(), nil
	}
	text, err := ask(ctx, "token", []byte("{}"))
	if err != nil {
		return "", err
	}
	var answer struct {
		OK    string
		Error *struct{ Detail string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", err
	}
	if answer.OK == "" {
		detail := "none was given"
		if answer.Error != nil {
			detail = answer.Error.Detail
		}
		return "", fault.New(fault.Internal, "%s", detail)
	}
	return answer.OK, nil
}
