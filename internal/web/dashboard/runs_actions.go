package dashboard

import (
	"bytes"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	// maxEdited is the greatest payload that is edited in a page, in bytes; a form
	// takes up to three bytes for one of them.
	maxEdited   = 256 << 10
	editedLimit = 4 * maxEdited
)

// editView is the form for another run with another payload.
type editView struct {
	ID, Workflow string
	// What is edited, and how it is called in the form.
	Field ui.Field
}

func registerRuns(r *route.Router, d Deps) {
	object := objects.Execution(d.Executions.Get)
	page := func(method, path string, action access.Action) route.Spec {
		s := route.Spec{Method: method, Path: runsPath + path, Policy: access.Requires(action), Page: true}
		if method == http.MethodPost {
			s.Body, s.BodyLimit = true, ui.MaxForm
		}
		return s
	}
	route.Raw(r, page(http.MethodGet, "", access.ReadExecution), route.NoObject(), d.getRuns)
	route.Raw(r, page(http.MethodGet, "/{id}", access.ReadExecution), object, d.getRun)
	route.Raw(r, page(http.MethodPost, "/{id}/cancel", access.RunWorkflow), object, d.postCancel)
	route.Raw(r, page(http.MethodGet, "/{id}/replay", access.RunWorkflow), object, d.getReplay)
	replay := page(http.MethodPost, "/{id}/replay", access.RunWorkflow)
	replay.BodyLimit = editedLimit
	route.Raw(r, replay, object, d.postReplay)
}

func (d Deps) postCancel(w http.ResponseWriter, r *http.Request, c route.Call[execution.Execution]) error {
	_, err := d.Executions.Cancel(r.Context(), c.Object, c.Principal.User.Label())
	if err == nil {
		ui.Redirect(w, r, runsPath+"/"+c.Object.ID.String())
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showRun(w, r, status, c.Principal, c.Object, text)
}

func (d Deps) getReplay(w http.ResponseWriter, r *http.Request, c route.Call[execution.Execution]) error {
	event, err := d.Executions.Event(r.Context(), c.Object)
	if err != nil {
		return err
	}
	field, err := editable(event)
	if err != nil {
		return err
	}
	return d.showEdit(w, r, http.StatusOK, c, field)
}

func (d Deps) showEdit(w http.ResponseWriter, r *http.Request, status int, c route.Call[execution.Execution], field ui.Field) error {
	of, err := d.Workflows.Workflow(r.Context(), c.Principal.Organizations(), c.Object.WorkflowID)
	if err != nil {
		return err
	}
	v := editView{ID: c.Object.ID.String(), Workflow: of.Name, Field: field}
	f := d.frame("Edit and replay", c.Principal)
	f.Here = ui.Runs
	f.Above = []ui.Link{{Path: ui.Runs, Name: "Runs"}, {Path: runsPath + "/" + v.ID, Name: "A run of " + of.Name}}
	return ui.Show(w, r, status, f, editPage(v))
}

// editable is the part of an event that people edit: the input of a manual run, the
// body of a delivery, or all members of another event.
func editable(e execution.Event) (ui.Field, error) {
	f := ui.Field{Plain: true, Required: true}
	var fields map[string]json.RawMessage
	// What is no object has no members.
	_ = json.Unmarshal(e.Fields, &fields)
	var text []byte
	switch input, manual := fields["input_data"]; {
	case manual:
		f.Name, f.Label, f.Hint, text = "input", "Input", "JSON. It is checked against the schema that the trigger has now.", input
	case e.HasBody && utf8.Valid(e.Body):
		f.Name, f.Label, f.Hint, text = "body", "Body", "The body of the delivery. Its other parts stay as they were.", e.Body
	case e.HasBody:
		return f, fault.New(fault.Invalid, "The body of this event is no text, so that it can't be edited here; replay it as it is, or by the API with rawBody")
	default:
		f.Name, f.Label, f.Hint, text = "data", "Event", "The members of the event, as JSON.", e.Fields
	}
	if len(text) > maxEdited {
		return f, fault.New(fault.Invalid, "This payload has %d bytes; up to %d are edited here. Replay it as it is, or by the API", len(text), maxEdited)
	}
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") == nil {
		text = b.Bytes()
	}
	f.Value = string(text)
	return f, nil
}

// postReplay runs an event again, with what a form has edited.
func (d Deps) postReplay(w http.ResponseWriter, r *http.Request, c route.Call[execution.Execution]) error {
	form, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	replay := trigger.Replay{Execution: c.Object, By: c.Principal.ID}
	edited := ""
	for _, name := range []string{"input", "body", "data"} {
		if text, given := form[name]; given {
			edited = name
			if err = d.edit(r, c.Object, &replay, name, text); err != nil {
				break
			}
		}
	}
	var accepted execution.Accepted
	if err == nil {
		accepted, err = d.Triggers.Replay(r.Context(), replay)
	}
	if err == nil {
		ui.Redirect(w, r, runsPath+"/"+accepted.ExecutionID.String())
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	if edited == "" {
		return d.showRun(w, r, status, c.Principal, c.Object, text)
	}
	event, err := d.Executions.Event(r.Context(), c.Object)
	if err != nil {
		return err
	}
	field, err := editable(event)
	if err != nil {
		return err
	}
	field.Value, field.Error = form[edited], text
	return d.showEdit(w, r, status, c, field)
}

// edit puts an edited text into a replay.
func (d Deps) edit(r *http.Request, e execution.Execution, replay *trigger.Replay, name, text string) error {
	isJSON := json.Valid([]byte(text))
	if name == "body" {
		event, err := d.Executions.Event(r.Context(), e)
		if err != nil {
			return err
		}
		value := json.RawMessage(text)
		if !event.IsJSON() {
			if value, err = json.Marshal(text); err != nil {
				return err
			}
			isJSON = true
		}
		if isJSON {
			replay.Data, err = json.Marshal(map[string]json.RawMessage{"body": value})
		}
		if err != nil {
			return err
		}
	}
	if !isJSON {
		return notJSON([]byte(text))
	}
	switch name {
	case "input":
		replay.Input = json.RawMessage(text)
	case "data":
		replay.Data = json.RawMessage(text)
	}
	return nil
}

// notJSON says where a text is no JSON.
func notJSON(text []byte) error {
	var value any
	err := json.Unmarshal(text, &value)
	line := 1
	if at, ok := err.(*json.SyntaxError); ok { //nolint:errorlint // Unmarshal returns it as it is
		line += bytes.Count(text[:min(int(at.Offset), len(text))], []byte("\n"))
	}
	return fault.New(fault.Invalid, "This is no JSON: line %d: %v", line, err)
}
