package api

import (
	"encoding/json"
	"strings"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

type executionBody struct {
	ID                id.ID           `json:"id"`
	WorkflowID        id.ID           `json:"workflowId"`
	TriggerID         *id.ID          `json:"triggerId" nullable:"true"`
	DeploymentID      *id.ID          `json:"deploymentId" nullable:"true" doc:"null before the first attempt"`
	TriggeredByUserID *id.ID          `json:"triggeredByUserId" nullable:"true"`
	Status            execution.State `json:"status"`
	Waiting           *string         `json:"waiting" doc:"Why a received execution does not run yet"`
	ReceivedAt        timestamp       `json:"receivedAt"`
	StartedAt         *timestamp      `json:"startedAt" nullable:"true"`
	CompletedAt       *timestamp      `json:"completedAt" nullable:"true"`
	DurationMS        *int64          `json:"durationMs"`
	ErrorMessage      *string         `json:"errorMessage"`
	ErrorStack        *string         `json:"errorStack" doc:"One frame a line"`
	Attempt           int             `json:"attempt" doc:"The latest attempt, from 1; 0 before the first"`
	Interruptions     int             `json:"interruptions" doc:"Attempts that ended through no fault of the code"`
	Retries           int             `json:"retries" doc:"Attempts that failed and were followed by another"`
	AvailableAt       *timestamp      `json:"availableAt" nullable:"true" doc:"When it may start, for one that waits for its time"`
	PlannedAt         *timestamp      `json:"plannedAt" nullable:"true" doc:"The time of the schedule that it is for"`
	CancelReason      *string         `json:"cancelReason" doc:"Set once somebody has asked to end a run"`
	ReplayOf          *id.ID          `json:"replayOf" nullable:"true" doc:"The execution that this one repeats"`
	TriggerType       *string         `json:"triggerType"`
	ProviderType      *string         `json:"providerType"`
	ProviderAlias     *string         `json:"providerAlias"`
	WebhookPath       *string         `json:"webhookPath"`
	WebhookMethod     *string         `json:"webhookMethod"`
	Result            json.RawMessage `json:"result,omitempty" doc:"What the handler returned; shown with a single execution"`

	Attempts      *[]attemptBody `json:"attempts,omitempty" doc:"The attempts that ended, oldest first; shown with a single execution"`
	LogEntries    *[]logBody     `json:"logEntries,omitempty" doc:"The first lines, oldest first; shown with a single execution"`
	LogsTruncated *bool          `json:"logsTruncated,omitempty" doc:"Whether the log goes on"`
	LogsNext      *string        `json:"logsNext,omitempty" doc:"Where it goes on: the value of after at /api/executions/{id}/logs"`
}

type attemptBody struct {
	Attempt      int       `json:"attempt"`
	StartedAt    timestamp `json:"startedAt"`
	EndedAt      timestamp `json:"endedAt"`
	Outcome      string    `json:"outcome" doc:"A final status, or interrupted"`
	ErrorMessage *string   `json:"errorMessage"`
}

type executionList struct {
	WorkflowID *id.ID          `json:"workflowId" nullable:"true"`
	Limit      int             `json:"limit"`
	Offset     int             `json:"offset"`
	Count      int             `json:"count" doc:"How many are on this page"`
	Total      int             `json:"total"`
	Executions []executionBody `json:"executions" nullable:"false"`
	Results    []executionBody `json:"results" nullable:"false" doc:"The same as executions"`
}

type logBody struct {
	ID          string       `json:"id"`
	ExecutionID id.ID        `json:"executionId"`
	Timestamp   timestamp    `json:"timestamp"`
	Level       engine.Level `json:"level"`
	Message     string       `json:"message"`
	Attempt     int          `json:"attempt"`
	Line        int          `json:"line"`
}

// showExecution shows an execution as lists do.
func showExecution(e execution.Execution) executionBody {
	body := executionBody{
		ID: e.ID, WorkflowID: e.WorkflowID, TriggerID: idOrNull(e.TriggerID), DeploymentID: idOrNull(e.DeploymentID),
		Status: e.State, Waiting: textOrNull(e.Waiting),
		ReceivedAt: timestamp(e.ReceivedAt), StartedAt: timestampOrNull(e.StartedAt), CompletedAt: timestampOrNull(e.CompletedAt),
		ErrorMessage: textOrNull(e.Error), ErrorStack: textOrNull(e.Stack),
		Attempt: e.Attempt, Interruptions: e.Interruptions, Retries: e.Retries,
		AvailableAt: timestampOrNull(e.AvailableAt), PlannedAt: timestampOrNull(e.PlannedAt),
		CancelReason: textOrNull(e.CancelReason), ReplayOf: idOrNull(e.ReplayOf), TriggeredByUserID: idOrNull(e.TriggeredByID),
		TriggerType: textOrNull(e.Origin.TriggerType), ProviderType: textOrNull(e.Origin.ProviderType),
		ProviderAlias: textOrNull(e.Origin.ProviderAlias),
		WebhookPath:   textOrNull(e.Origin.Path), WebhookMethod: textOrNull(e.Origin.Method),
	}
	if e.Duration != nil {
		ms := e.Duration.Milliseconds()
		body.DurationMS = &ms
	}
	return body
}

// showOneExecution shows an execution with its result.
func showOneExecution(e execution.Execution) executionBody {
	body := showExecution(e)
	body.Result = e.Result
	return body
}

func showAttempts(attempts []execution.Attempt) []attemptBody {
	all := make([]attemptBody, len(attempts))
	for i, a := range attempts {
		all[i] = attemptBody{
			Attempt: a.Number, StartedAt: timestamp(a.StartedAt), EndedAt: timestamp(a.EndedAt),
			Outcome: a.Outcome, ErrorMessage: textOrNull(a.Error),
		}
	}
	return all
}

func showLog(l execution.LogEntry) logBody {
	return logBody{
		ID: l.WireID(), ExecutionID: l.ExecutionID, Timestamp: timestamp(l.Time), Level: l.Level, Message: l.Message,
		Attempt: l.Cursor.Attempt, Line: l.Cursor.Line,
	}
}

func showLogs(entries []execution.LogEntry) []logBody {
	all := make([]logBody, len(entries))
	for i, l := range entries {
		all[i] = showLog(l)
	}
	return all
}

// parseState reads a state in any case; the empty text is no state.
func parseState(text string) (execution.State, error) {
	state := execution.State(strings.ToLower(text))
	if text != "" && !state.Known() {
		names := make([]string, len(execution.States))
		for i, s := range execution.States {
			names[i] = string(s)
		}
		return "", invalid("query.status", "Invalid status. Must be one of: "+strings.Join(names, ", "))
	}
	return state, nil
}

// parseLevel reads a level in any case; the empty text is no level.
func parseLevel(text string) (engine.Level, error) {
	switch level := engine.Level(strings.ToLower(text)); level {
	case "", engine.LevelDebug, engine.LevelInfo, engine.LevelWarn, engine.LevelError, engine.LevelLog:
		return level, nil
	}
	return "", invalid("query.level", "Invalid level. Must be one of: debug, info, warn, error, log")
}

// parseCursor reads a place in a log.
func parseCursor(location, text string) (execution.Cursor, error) {
	cursor, err := execution.ParseCursor(text)
	if err != nil {
		return cursor, invalid(location, "must be a place in the log, <attempt>-<line>, such as 1-17")
	}
	return cursor, nil
}
