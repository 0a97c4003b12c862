package realtime

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// The types of events.
const (
	typeReceived = "webhook.received"
	typeStarted  = "workflow.execution.started"
	typeLog      = "workflow.execution.log"
	// typeWaiting is an attempt that ended and whose execution waits for another.
	typeWaiting = "workflow.execution.waiting"
	typeGap     = "gap"
)

// finalTypes are the events of final states.
var finalTypes = map[execution.State]string{
	execution.Completed:    "workflow.execution.completed",
	execution.Failed:       "workflow.execution.failed",
	execution.TimedOut:     "workflow.execution.timeout",
	execution.Cancelled:    "workflow.execution.cancelled",
	execution.NoDeployment: "workflow.execution.no_deployment",
}

// maxValue is the greatest payload, result or line that is published; larger
// ones are replaced by a reference.
const maxValue = 32 << 10

// envelope is what every event looks like: 4.7 of identity-realtime-admin.md.
type envelope struct {
	Type       string `json:"type"`
	WorkflowID id.ID  `json:"workflow_id"`
	Payload    any    `json:"payload"`
	// Timestamp is in Unix seconds, as text with a fraction.
	Timestamp string `json:"timestamp"`
	Time      string `json:"time"`
}

const timeLayout = "2006-01-02T15:04:05.000Z"

func encode(kind string, workflow id.ID, at time.Time, payload any) ([]byte, error) {
	return json.Marshal(envelope{
		Type: kind, WorkflowID: workflow, Payload: payload,
		Timestamp: strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64), Time: at.UTC().Format(timeLayout),
	})
}

type receivedPayload struct {
	WebhookID   *id.ID `json:"webhook_id,omitempty"`
	ExecutionID id.ID  `json:"execution_id"`
	TriggerID   id.ID  `json:"trigger_id"`
	Status      string `json:"status"`
	Method      string `json:"method,omitempty"`
	Path        string `json:"path,omitempty"`
	Data        any    `json:"data"`
}

type startedPayload struct {
	ExecutionID  id.ID  `json:"execution_id"`
	TriggerID    id.ID  `json:"trigger_id"`
	DeploymentID id.ID  `json:"deployment_id"`
	Attempt      int    `json:"attempt"`
	Status       string `json:"status"`
}

type logPayload struct {
	ExecutionID id.ID     `json:"execution_id"`
	Attempt     int       `json:"attempt"`
	Lines       []logLine `json:"lines"`
}

type logLine struct {
	Line      int          `json:"line"`
	Level     engine.Level `json:"level"`
	Message   string       `json:"message"`
	Timestamp string       `json:"timestamp"`
	Truncated bool         `json:"truncated,omitempty"`
}

type endedPayload struct {
	ExecutionID  id.ID  `json:"execution_id"`
	TriggerID    id.ID  `json:"trigger_id"`
	DeploymentID *id.ID `json:"deployment_id,omitempty"`
	Attempt      int    `json:"attempt"`
	Status       string `json:"status"`
	Result       any    `json:"result,omitempty"`
	Error        string `json:"error,omitempty"`
	DurationMS   int64  `json:"duration_ms"`
}

// reference stands for a value that is too large to be published.
type reference struct {
	Truncated bool   `json:"truncated"`
	Bytes     int    `json:"bytes"`
	URL       string `json:"url"`
}

func referTo(e id.ID, size int) reference {
	return reference{Truncated: true, Bytes: size, URL: "/api/executions/" + e.String()}
}

// referToBody stands for a delivery's body, which the address answers with as it
// arrived.
func referToBody(e id.ID, size int) reference {
	r := referTo(e, size)
	r.URL += "/body"
	return r
}

// bodyValue is a delivery's body as an event shows it.
func bodyValue(e execution.Event, of id.ID) any { return bodyUpTo(e, of, maxValue) }

// bodyUpTo is a body as a JSON value, or text, or a reference.
func bodyUpTo(e execution.Event, of id.ID, most int) any {
	switch {
	case len(e.Body) > most:
		return referToBody(of, len(e.Body))
	// A sender that names no type is given the benefit of the doubt.
	case (e.ContentType == "" || e.IsJSON()) && json.Valid(e.Body):
		return json.RawMessage(bytes.TrimSpace(e.Body))
	case utf8.Valid(e.Body):
		return string(e.Body)
	default:
		return referToBody(of, len(e.Body))
	}
}

// resultValue is a run's result as an event shows it.
func resultValue(result json.RawMessage, of id.ID) any {
	switch {
	case len(result) == 0:
		return nil
	case len(result) > maxValue:
		return referTo(of, len(result))
	}
	return result
}

// lines are log lines as an event shows them.
func lines(c execution.LogChunk) []logLine {
	shown := make([]logLine, len(c.Lines))
	for i, l := range c.Lines {
		shown[i] = logLine{Line: c.First + i, Level: l.Level, Message: l.Message, Timestamp: l.Time.UTC().Format(timeLayout)}
		if len(l.Message) > maxValue {
			shown[i].Message, shown[i].Truncated = engine.Cut(l.Message, maxValue), true
		}
	}
	return shown
}
