package trigger

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Events are those that were accepted.
type Events interface {
	Event(ctx context.Context, e execution.Execution) (execution.Event, error)
}

// Replay asks for another run of an execution's event.
type Replay struct {
	Execution execution.Execution
	// By is who asks for it.
	By id.ID
	// Input takes the place of the input of a manual run, and Data has the members
	// of another event that are to be different; nil for the event as it was.
	Input, Data json.RawMessage
}

// Replay runs an execution's event again, by the code that is active now. The
// execution itself stays as it is.
func (i *Invoker) Replay(ctx context.Context, r Replay) (execution.Accepted, error) {
	e := r.Execution
	t, err := i.Store.Trigger(ctx, []id.ID{e.OrganizationID}, e.TriggerID)
	if fault.Is(err, fault.NotFound) {
		return execution.Accepted{}, fault.New(fault.Conflict, "The trigger of this execution is not declared any more, so that nothing can run its event")
	}
	if err != nil {
		return execution.Accepted{}, err
	}
	event, err := i.Events.Event(ctx, e)
	if err != nil {
		return execution.Accepted{}, err
	}
	if err := i.edit(&event, t, r); err != nil {
		return execution.Accepted{}, err
	}
	return i.Executions.Accept(ctx, execution.Acceptance{
		OrganizationID: e.OrganizationID, WorkflowID: e.WorkflowID, TriggerID: e.TriggerID,
		Origin: e.Origin, Event: event, TriggeredByID: r.By, ReplayOf: e.ID,
	})
}

// edit changes an event in the way that is asked for.
func (i *Invoker) edit(event *execution.Event, t workflow.Trigger, r Replay) error {
	if r.Input == nil && r.Data == nil {
		return nil
	}
	need, err := needOf(i.Catalogue, t.Declaration)
	if err != nil {
		return err
	}
	switch {
	case need.Form == nil && r.Input != nil:
		return fault.New(fault.Invalid, "inputData is for the runs of manual triggers; data has the members of this event that are to be different")
	case need.Form != nil && (r.Input == nil || r.Data != nil):
		return fault.New(fault.Invalid, "the event of a manual trigger is made of its input: give inputData")
	case need.Form != nil:
		event.Fields, err = need.Form.Event(r.By.String(), r.Input)
		return err
	}
	return merge(event, r.Data)
}

// merge gives an event the members of data.
func merge(event *execution.Event, data json.RawMessage) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil || given == nil {
		return fault.New(fault.Invalid, "data must be an object with members of the event, such as body, headers or query")
	}
	if err := mergeBody(event, given); err != nil {
		return err
	}
	fields := map[string]json.RawMessage{}
	if len(event.Fields) > 0 {
		if err := json.Unmarshal(event.Fields, &fields); err != nil {
			return fault.Because(err, fault.Internal, "the event could not be read")
		}
	}
	for name, value := range given {
		fields[name] = value
	}
	text, err := json.Marshal(fields)
	event.Fields = text
	return err
}

// mergeBody takes the members out that stand for the body: rawBody is the bytes
// in base64, body a value. A text stays one where the event's was, and any
// other value becomes JSON.
func mergeBody(event *execution.Event, given map[string]json.RawMessage) error {
	raw, hasRaw := given["rawBody"]
	value, hasValue := given["body"]
	delete(given, "rawBody")
	delete(given, "body")
	switch {
	case !hasRaw && !hasValue:
		return nil
	case !event.HasBody:
		return fault.New(fault.Invalid, "this event has no body")
	case hasRaw && hasValue:
		return fault.New(fault.Invalid, "give body or rawBody, not both")
	case hasRaw:
		var text string
		err := json.Unmarshal(raw, &text)
		if err == nil {
			event.Body, err = base64.StdEncoding.DecodeString(text)
		}
		if err != nil {
			return fault.New(fault.Invalid, "rawBody must be the bytes of the body in base64")
		}
		return nil
	}
	var text string
	if json.Unmarshal(value, &text) == nil && !event.IsJSON() {
		event.Body = []byte(text)
		return nil
	}
	event.Body = value
	if !event.IsJSON() {
		event.ContentType = "application/json"
	}
	return nil
}
