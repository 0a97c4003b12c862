package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// wholeInput is the field of an input that is written as JSON.
	wholeInput = "input"
	// asJSON is what an address says where all of the input is written so.
	asJSON = "json"
)

// manualView is a form with which people run a workflow.
type manualView struct {
	pageHead
	// Choices lead to the forms that there are, Chosen is the path of this one.
	Choices []ui.Link
	Chosen  string
	Trigger string
	Title   string
	About   string
	Fields  []inputField
	// Whole is the field for all of the input; it is used where there are no
	// Fields. Other leads to the other way of writing the input; empty for none.
	Whole ui.Field
	Other string
	// At is the field for a later time.
	At      ui.Field
	Problem string
}

// manualForm is a trigger that is fired by hand, as a page asks for its input.
type manualForm struct {
	trigger trigger.Shown
	fields  []inputField
	// whole says that the input is written as JSON.
	whole bool
}

func (d Deps) getManual(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	q := r.URL.Query()
	return d.showManual(w, r, c, http.StatusOK, q.Get("trigger"), q.Get("as"), nil, nil)
}

// manuals are the triggers of a workflow that are fired by hand.
func (d Deps) manuals(ctx context.Context, of id.ID) ([]trigger.Shown, error) {
	all, err := d.Triggers.List(ctx, of)
	var forms []trigger.Shown
	for _, t := range all {
		if t.Form != nil && !t.DevOnly {
			forms = append(forms, t)
		}
	}
	return forms, err
}

// formOf is the form of one of the triggers, the first unless one is named.
func formOf(all []trigger.Shown, named, as string) (manualForm, error) {
	for _, t := range all {
		if named == "" || t.ID.String() == named {
			fields := fieldsOf(t.Form.Schema())
			return manualForm{trigger: t, fields: fields, whole: as == asJSON || len(fields) == 0}, nil
		}
	}
	return manualForm{}, fault.New(fault.NotFound, "Trigger not found")
}

// showManual shows a form, with what was filled in and what was wrong with it.
func (d Deps) showManual(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow], status int, named, as string, filled ui.Form, wrong error) error {
	all, err := d.manuals(r.Context(), c.Object.ID)
	if err != nil {
		return err
	}
	v := manualView{pageHead: headOf(c.Object, "/run")}
	if len(all) > 0 {
		f, err := formOf(all, named, as)
		if err != nil {
			return err
		}
		v.show(f, all)
		v.refill(filled, wrong)
	}
	return ui.Show(w, r, status, d.workflowFrame("Run ", c), manualPage(v))
}

// show fills a page with a form as it is before it was filled in.
func (v *manualView) show(f manualForm, all []trigger.Shown) {
	address := func(t id.ID, as string) string {
		q := url.Values{"trigger": {t.String()}}
		if as != "" {
			q.Set("as", as)
		}
		return v.Here + "?" + q.Encode()
	}
	t := f.trigger
	v.Trigger, v.Title, v.About, v.Chosen = t.ID.String(), t.Form.Name(), t.Form.Description(), address(t.ID, "")
	for _, one := range all {
		v.Choices = append(v.Choices, ui.Link{Path: address(one.ID, ""), Name: one.Form.Name()})
	}
	v.At = ui.Field{Name: "at", Label: "When (UTC)", Type: "datetime-local", Hint: "At once when it is left empty."}
	if !f.whole {
		v.Fields, v.Other = f.fields, address(t.ID, asJSON)
		return
	}
	v.Whole = ui.Field{Name: wholeInput, Label: "Input", Value: defaultsOf(f.fields), Plain: true, Hint: "JSON."}
	if len(f.fields) > 0 {
		v.Other = address(t.ID, "")
	}
}

// defaultsOf are the members that have a value before anything is filled in.
func defaultsOf(fields []inputField) string {
	input, err := inputOf(fields)
	if err != nil || len(input) == 0 {
		return "{}"
	}
	return showJSON(input).Text
}

// inputOf is the input that fields make.
func inputOf(fields []inputField) (json.RawMessage, error) {
	input := map[string]json.RawMessage{}
	wrong := fault.New(fault.Invalid, "Some of the input is wrong")
	for _, f := range fields {
		value, err := f.read()
		var text *fault.Error
		switch {
		case errors.As(err, &text):
			wrong.Fields = append(wrong.Fields, fault.Field{Location: provider.FormInput + "." + f.Property, Message: text.Message})
		case err != nil:
			return nil, err
		case value != nil:
			input[f.Property] = value
		}
	}
	if len(wrong.Fields) > 0 {
		return nil, wrong
	}
	return json.Marshal(input)
}

// refill puts what was filled in back, and what was wrong beside it.
func (v *manualView) refill(filled ui.Form, wrong error) {
	if filled == nil {
		return
	}
	v.At.Value, v.Whole.Value = filled["at"], filled[wholeInput]
	for i := range v.Fields {
		v.Fields[i].Value = filled[v.Fields[i].Name]
	}
	var f *fault.Error
	if !errors.As(wrong, &f) {
		return
	}
	v.Problem = ui.Sentence(f.Message)
	placed := 0
	for _, part := range f.Fields {
		if v.place(part) {
			placed++
		}
	}
	if placed > 0 && placed == len(f.Fields) {
		v.Problem = "It did not run: see what is wrong below."
	}
}

// place says at a field what is wrong with it, and reports whether there is one.
func (v *manualView) place(part fault.Field) bool {
	place := strings.TrimPrefix(part.Location, provider.FormInput+".")
	for i := range v.Fields {
		f := &v.Fields[i]
		inside, within := strings.CutPrefix(place, f.Property)
		if !within || inside != "" && inside[0] != '.' {
			continue
		}
		text := part.Message
		if inside != "" {
			text = inside[1:] + ": " + text
		} else {
			text = strings.ToUpper(text[:1]) + text[1:]
		}
		if f.Error != "" {
			text = f.Error + " " + text
		}
		f.Error = ui.Sentence(text)
		return true
	}
	return false
}

// postManual runs a workflow with what was filled in.
func (d Deps) postManual(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	filled, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	all, err := d.manuals(r.Context(), c.Object.ID)
	if err != nil {
		return err
	}
	as := ""
	if _, whole := filled[wholeInput]; whole {
		as = asJSON
	}
	form, err := formOf(all, filled.Get("trigger"), as)
	if err != nil {
		return err
	}
	in := trigger.Invocation{Trigger: form.trigger.Trigger, By: c.Principal.ID}
	if err = readInvocation(&in, form, filled); err == nil {
		accepted, refused := d.Triggers.Invoke(r.Context(), in)
		if refused == nil {
			ui.Redirect(w, r, runsPath+"/"+accepted.ExecutionID.String())
			return nil
		}
		err = refused
	}
	status, _, rest := ui.Problem(w, err)
	if rest != nil {
		return rest
	}
	return d.showManual(w, r, c, status, filled.Get("trigger"), as, filled, err)
}

// readInvocation reads the input that was filled in, and when it shall run.
func readInvocation(in *trigger.Invocation, f manualForm, filled ui.Form) error {
	if text := filled.Get("at"); text != "" {
		at, err := readTime(text)
		if err != nil {
			return fault.New(fault.Invalid, "%.60q is no time such as 2026-01-31T12:00 (in UTC)", text)
		}
		in.At = &at
	}
	if f.whole {
		in.Input = json.RawMessage(filled[wholeInput])
		if !json.Valid(in.Input) {
			return notJSON(in.Input)
		}
		return nil
	}
	fields := make([]inputField, len(f.fields))
	for i, one := range f.fields {
		one.Value = filled[one.Name]
		fields[i] = one
	}
	var err error
	in.Input, err = inputOf(fields)
	return err
}
