package builtin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	maxFormName        = 255
	maxFormDescription = 10_000
	// maxProblems is how many mistakes of one input are named.
	maxProblems = 5
)

// form is the one of an onManual trigger.
type form struct {
	name, description string
	schema            json.RawMessage
	compiled          *jsonschema.Schema
	budget            *budget
}

func checkManual(d workflow.Declaration) (provider.Need, error) {
	var input struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Schema      json.RawMessage `json:"input_schema"`
	}
	if err := decode(d, &input, "a text name, a text description and an input_schema"); err != nil {
		return provider.Need{}, err
	}
	switch {
	case input.Name == "" || len(input.Name) > maxFormName:
		return provider.Need{}, fault.New(fault.Invalid, "the name of %s has %d bytes; it must have 1 to %d", onManual, len(input.Name), maxFormName)
	case len(input.Description) > maxFormDescription:
		return provider.Need{}, fault.New(fault.Invalid, "the description of %s has %d bytes; at most %d are allowed", onManual, len(input.Description), maxFormDescription)
	}
	f := form{name: input.Name, description: input.Description}
	if len(input.Schema) > 0 && string(input.Schema) != "null" {
		compiled, err := compileSchema(input.Schema)
		if err == nil {
			f.budget, err = bound(compiled)
		}
		if err != nil {
			return provider.Need{}, fault.Because(nil, fault.Invalid, "the input schema of %s %q is no JSON Schema: %v", onManual, f.name, err)
		}
		f.schema, f.compiled = input.Schema, compiled
	}
	return provider.Need{Form: f}, nil
}

// nowhere refuses schemas that point to others: nothing is fetched.
type nowhere struct{}

func (nowhere) Load(string) (any, error) {
	return nil, errors.New("a schema can't refer to another document; put its parts under $defs")
}

// schemaName has a scheme, without which the library would make a path of it, and
// tell the folder of the server.
const schemaName = "schema:///input.json"

func compileSchema(text json.RawMessage) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	if err := c.AddResource(schemaName, document); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(schemaName)
	var invalid *jsonschema.SchemaValidationError
	var inner *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &inner) {
		return nil, errors.New(problems(inner))
	}
	return compiled, err
}

func (f form) Name() string            { return f.name }
func (f form) Description() string     { return f.description }
func (f form) Schema() json.RawMessage { return f.schema }

// manualFields are the members of a manual event: workflows-runtime.md 3.3.
type manualFields struct {
	ManuallyTriggered bool            `json:"manually_triggered"`
	TriggeredBy       string          `json:"triggered_by"`
	InputData         json.RawMessage `json:"input_data"`
}

// Event implements provider.Form.
func (f form) Event(by string, input json.RawMessage) (json.RawMessage, error) {
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(input))
	if err != nil {
		return nil, fault.Because(err, fault.Invalid, "Input validation failed: the input is no JSON")
	}
	if f.compiled != nil {
		var wrong *jsonschema.ValidationError
		switch err := f.budget.validate(f.compiled, value); {
		case errors.Is(err, errTooInvolved):
			return nil, fault.Because(nil, fault.Invalid, "Input validation failed: %v", err)
		case errors.As(err, &wrong):
			f := fault.New(fault.Invalid, "Input validation failed: %s", problems(wrong))
			f.Fields = wrongParts(wrong)
			return nil, f
		case err != nil:
			return nil, fmt.Errorf("validate an input: %w", err)
		}
	}
	return json.Marshal(manualFields{ManuallyTriggered: true, TriggeredBy: by, InputData: input})
}

// problems names what is wrong, with its place.
func problems(e *jsonschema.ValidationError) string {
	printer := message.NewPrinter(language.English)
	var all []string
	for _, leaf := range leaves(e) {
		place := ""
		if len(leaf.InstanceLocation) > 0 {
			place = strings.Join(leaf.InstanceLocation, ".") + ": "
		}
		all = append(all, place+leaf.ErrorKind.LocalizedString(printer))
	}
	if more := len(all) - maxProblems; more > 0 {
		all = append(all[:maxProblems], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// wrongParts are the parts of an input that are wrong. What is missing is one that
// is not there.
func wrongParts(e *jsonschema.ValidationError) []fault.Field {
	printer := message.NewPrinter(language.English)
	var all []fault.Field
	add := func(place []string, text string) {
		if len(all) < maxProblems {
			all = append(all, fault.Field{Location: strings.Join(append([]string{provider.FormInput}, place...), "."), Message: text})
		}
	}
	for _, leaf := range leaves(e) {
		lacks, is := leaf.ErrorKind.(*kind.Required)
		if !is {
			add(leaf.InstanceLocation, saysWhatIsRight(leaf.ErrorKind, printer))
			continue
		}
		for _, name := range lacks.Missing {
			add(append(slices.Clone(leaf.InstanceLocation), name), "must be given")
		}
	}
	return all
}

// saysWhatIsRight says of a part that is wrong what would be right, where the
// library says what it compares.
func saysWhatIsRight(k jsonschema.ErrorKind, p *message.Printer) string {
	switch k := k.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("has %d characters; it must have at least %d", k.Got, k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("has %d characters; it can have at most %d", k.Got, k.Want)
	case *kind.Minimum:
		return "must be at least " + decimal(k.Want)
	case *kind.Maximum:
		return "must be at most " + decimal(k.Want)
	case *kind.Pattern:
		return "must match " + k.Want
	}
	return k.LocalizedString(p)
}

func decimal(r *big.Rat) string {
	f, _ := r.Float64() // as near as people read
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// leaves are what is wrong in the end, in order.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}
