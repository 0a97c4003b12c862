package builtin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
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

const schemaName = "input.json"

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
		if err := f.compiled.Validate(value); errors.As(err, &wrong) {
			return nil, fault.New(fault.Invalid, "Input validation failed: %s", problems(wrong))
		} else if err != nil {
			return nil, fmt.Errorf("validate an input: %w", err)
		}
	}
	return json.Marshal(manualFields{ManuallyTriggered: true, TriggeredBy: by, InputData: input})
}

// problems names what is wrong, with its place.
func problems(e *jsonschema.ValidationError) string {
	printer := message.NewPrinter(language.English)
	var all []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			place := ""
			if len(e.InstanceLocation) > 0 {
				place = strings.Join(e.InstanceLocation, ".") + ": "
			}
			all = append(all, place+e.ErrorKind.LocalizedString(printer))
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(e)
	if more := len(all) - maxProblems; more > 0 {
		all = append(all[:maxProblems], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}
