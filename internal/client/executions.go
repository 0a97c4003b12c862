package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Execution is one run of a trigger's handler. Pointers are nil for what has
// not happened.
type Execution struct {
	ID            string          `json:"id"`
	WorkflowID    string          `json:"workflowId"`
	DeploymentID  *string         `json:"deploymentId"`
	Status        string          `json:"status"`
	Waiting       *string         `json:"waiting"`
	ReceivedAt    time.Time       `json:"receivedAt"`
	StartedAt     *time.Time      `json:"startedAt"`
	CompletedAt   *time.Time      `json:"completedAt"`
	DurationMS    *int64          `json:"durationMs"`
	ErrorMessage  *string         `json:"errorMessage"`
	ErrorStack    *string         `json:"errorStack"`
	Attempt       int             `json:"attempt"`
	TriggerType   *string         `json:"triggerType"`
	WebhookMethod *string         `json:"webhookMethod"`
	WebhookPath   *string         `json:"webhookPath"`
	Result        json.RawMessage `json:"result"`

	// LogEntries are the first lines, and LogsTruncated says that there are
	// more; both are part of a single run, not of a list.
	LogEntries    []LogLine `json:"logEntries"`
	LogsTruncated bool      `json:"logsTruncated"`
}

// Final reports whether the run has ended.
func (e Execution) Final() bool { return e.Status != "received" && e.Status != "started" }

// LogLine is one line that a run logged.
type LogLine struct {
	Level     string    `json:"level"`
	Message   string    `json:"message"`
	Timestamp time.Time `json:"timestamp"`
}

// Executions returns up to limit runs of a workflow, newest first, those after
// the first offset.
func (c *Client) Executions(ctx context.Context, workflow string, limit, offset int) ([]Execution, error) {
	var list struct {
		Executions []Execution `json:"executions"`
	}
	query := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
	err := c.call(ctx, http.MethodGet, "/api/executions/workflows/"+url.PathEscape(workflow), query, nil, &list)
	return list.Executions, err
}

// Execution returns one run.
func (c *Client) Execution(ctx context.Context, execution string) (Execution, error) {
	var found Execution
	err := c.call(ctx, http.MethodGet, "/api/executions/"+url.PathEscape(execution), nil, nil, &found)
	return found, err
}
