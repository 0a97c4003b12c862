package docker

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker/relay"
	"github.com/usefloww/flowwd/internal/workflow"
)

// The types of what /execute is asked.
const (
	typeDefine = "get_definitions"
	typeInvoke = "invoke_trigger"
)

// backendURL is where a container finds the server.
const backendURL = "http://" + relay.Address

// request is what /execute is asked: the runtime contract, and beside it what
// our own image takes.
type request struct {
	Type            string          `json:"type"`
	UserCode        *userCode       `json:"userCode,omitempty"`
	Trigger         *triggerWire    `json:"trigger,omitempty"`
	Data            json.RawMessage `json:"data,omitempty"`
	BackendURL      string          `json:"backendUrl,omitempty"`
	AuthToken       string          `json:"authToken,omitempty"`
	ExecutionID     string          `json:"executionId,omitempty"`
	ProviderConfigs json.RawMessage `json:"providerConfigs"`

	ProgramHash string      `json:"programHash,omitempty"`
	WorkflowID  string      `json:"workflowId,omitempty"`
	Attempt     int         `json:"attempt,omitempty"`
	Event       *eventWire  `json:"event,omitempty"`
	Limits      *limitsWire `json:"limits,omitempty"`
}

type userCode struct {
	Files      map[string]string `json:"files"`
	Entrypoint string            `json:"entrypoint"`
}

type triggerWire struct {
	Provider    providerWire    `json:"provider"`
	TriggerType string          `json:"triggerType"`
	Input       json.RawMessage `json:"input"`
	Ordinal     int             `json:"ordinal"`
}

type providerWire struct {
	Type  string `json:"type"`
	Alias string `json:"alias"`
}

type eventWire struct {
	Fields      json.RawMessage `json:"fields"`
	HasBody     bool            `json:"hasBody"`
	Body        []byte          `json:"body"`
	ContentType string          `json:"contentType"`
	Kind        engine.BodyKind `json:"kind"`
}

type limitsWire struct {
	Memory       int64 `json:"memory"`
	LogLines     int   `json:"logLines"`
	LogLineBytes int   `json:"logLineBytes"`
	ResultBytes  int   `json:"resultBytes"`
}

func triggerOf(d workflow.Declaration) *triggerWire {
	input := d.Input
	if len(input) == 0 {
		input = json.RawMessage("null")
	}
	return &triggerWire{Provider: providerWire(d.Provider), TriggerType: d.Type, Input: input, Ordinal: d.Ordinal}
}

func or0(fields json.RawMessage) json.RawMessage {
	if len(fields) == 0 {
		return json.RawMessage("{}")
	}
	return fields
}

// dataOf is an event as the contract has it: with the body among the fields. A
// body that has no form in JSON is in base64.
func dataOf(e engine.Event) (json.RawMessage, error) {
	fields := or0(e.Fields)
	if !e.HasBody {
		return fields, nil
	}
	body, err := json.Marshal(bodyOf(e))
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(fields, &all); err != nil {
		return nil, err
	}
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	all["body"] = body
	return json.Marshal(all)
}

func bodyOf(e engine.Event) any {
	kind := engine.KindOf(e.ContentType)
	if len(e.Body) == 0 {
		return nil
	}
	if kind == engine.JSONBody && json.Valid(e.Body) {
		return json.RawMessage(e.Body)
	}
	if kind == engine.FormBody {
		if values, err := url.ParseQuery(string(e.Body)); err == nil {
			form := map[string]any{}
			for name, all := range values {
				form[name] = all
				if len(all) == 1 {
					form[name] = all[0]
				}
			}
			return form
		}
	}
	if utf8.Valid(e.Body) {
		return string(e.Body)
	}
	return base64.StdEncoding.EncodeToString(e.Body)
}

// answer is what an image says that knows only the contract.
type answer struct {
	Success *bool `json:"success"`
	// StatusCode is the status that the image means, whatever that of its answer.
	StatusCode       int             `json:"statusCode"`
	Triggers         []triggerWire   `json:"triggers"`
	Providers        []providerWire  `json:"providers"`
	TriggersExecuted *int            `json:"triggersExecuted"`
	Error            json.RawMessage `json:"error"`
	Message          string          `json:"message"`
}

// fine tells whether the answer says that all went well.
func (a answer) fine() bool {
	return (a.Success == nil || *a.Success) && a.StatusCode < http.StatusBadRequest
}

// complaint is what an answer says went wrong, and where; empty when nothing is
// said. The error is a text, or an object with a message and a stack.
func (a answer) complaint() (message, stack string) {
	var object struct{ Message, Stack string }
	if json.Unmarshal(a.Error, &object) == nil && object.Message != "" {
		return object.Message, object.Stack
	}
	if a.Message != "" {
		return a.Message, ""
	}
	var text string
	_ = json.Unmarshal(a.Error, &text) // empty when it is none
	return text, ""
}

// eventLine is a line of an answer of our own image; it has one member.
type eventLine struct {
	Log     []logWire       `json:"log"`
	Done    *doneWire       `json:"done"`
	Failed  *failedWire     `json:"failed"`
	Defined json.RawMessage `json:"defined"`
}

type logWire struct {
	// Time is in milliseconds since 1970.
	Time    float64 `json:"time"`
	Level   string  `json:"level"`
	Message string  `json:"message"`
}

type doneWire struct {
	// Result is the JSON text of the result; nil for undefined.
	Result     *string `json:"result"`
	DurationMs float64 `json:"durationMs"`
}

type failedWire struct {
	Reason     engine.Reason `json:"reason"`
	Message    string        `json:"message"`
	Stack      string        `json:"stack"`
	DurationMs float64       `json:"durationMs"`
}
