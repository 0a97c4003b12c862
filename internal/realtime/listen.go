package realtime

import (
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// overhead is about what an event keeps in memory besides its texts.
const overhead = 256

var _ execution.Listener = (*Feed)(nil)

// Accepted implements execution.Listener.
func (f *Feed) Accepted(a execution.Acceptance, got execution.Accepted) {
	if a.Dev != nil {
		f.develop(a, got)
	}
	if !f.Transport.Wanted(Channel(a.WorkflowID)) {
		return
	}
	workflow, trigger, at, event := a.WorkflowID, a.TriggerID, a.ReceivedAt, a.Event
	p := receivedPayload{
		ExecutionID: got.ExecutionID, TriggerID: a.TriggerID, Status: string(got.State), Method: a.Origin.Method, Path: a.Origin.Path,
	}
	size := overhead + min(len(event.Body), maxValue)
	if len(event.Body) > maxValue {
		// The body itself must not wait in memory.
		p.Data, event.Body = referToBody(got.ExecutionID, len(event.Body)), nil
	}
	f.put(workflow, size, Options{}, func() ([]byte, error) {
		if p.Data == nil {
			p.Data = bodyValue(event, got.ExecutionID)
		}
		return encode(typeReceived, workflow, at, p)
	})
	if got.State.Final() {
		f.put(workflow, overhead, Options{}, func() ([]byte, error) {
			return encode(finalTypes[got.State], workflow, at, endedPayload{
				ExecutionID: got.ExecutionID, TriggerID: trigger, Status: string(got.State),
			})
		})
	}
}

// Started implements execution.Listener.
func (f *Feed) Started(c *execution.Claim) {
	if !f.Transport.Wanted(Channel(c.WorkflowID)) {
		return
	}
	p := startedPayload{
		ExecutionID: c.ExecutionID, TriggerID: c.TriggerID, DeploymentID: c.DeploymentID, Attempt: c.Attempt, Status: string(execution.Started),
	}
	workflow, at := c.WorkflowID, c.StartedAt
	f.put(workflow, overhead, Options{}, func() ([]byte, error) { return encode(typeStarted, workflow, at, p) })
}

// Logged implements execution.Listener.
func (f *Feed) Logged(c *execution.Claim, chunk execution.LogChunk) {
	if len(chunk.Lines) == 0 || !f.Transport.Wanted(Channel(c.WorkflowID)) {
		return
	}
	size := overhead
	for _, l := range chunk.Lines {
		size += len(l.Message) + overhead/4
	}
	workflow, at := c.WorkflowID, chunk.Lines[len(chunk.Lines)-1].Time
	p := logPayload{ExecutionID: c.ExecutionID, Attempt: c.Attempt}
	f.put(workflow, size, Options{}, func() ([]byte, error) {
		p.Lines = lines(chunk)
		return encode(typeLog, workflow, at, p)
	})
}

// Ended implements execution.Listener.
func (f *Feed) Ended(c *execution.Claim, e execution.End) {
	if !f.Transport.Wanted(Channel(c.WorkflowID)) {
		return
	}
	kind, final := finalTypes[e.State]
	if !final {
		kind = typeWaiting
	}
	deployment, workflow := c.DeploymentID, c.WorkflowID
	p := endedPayload{
		ExecutionID: c.ExecutionID, TriggerID: c.TriggerID, DeploymentID: idOrNone(deployment), Attempt: c.Attempt,
		Status: string(e.State), Error: e.Error, DurationMS: e.Duration.Milliseconds(),
	}
	size := overhead + len(e.Error) + min(len(e.Result), maxValue)
	p.Result = resultValue(e.Result, c.ExecutionID)
	f.put(workflow, size, Options{}, func() ([]byte, error) { return encode(kind, workflow, e.At, p) })
}

func idOrNone(x id.ID) *id.ID {
	if x.IsZero() {
		return nil
	}
	return &x
}
