package realtime

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// The types of events for developers. Published command lines read the first, for
// whatever trigger it is, and fire schedules by a clock of their own: of those
// they are only told.
const (
	typeDev     = "webhook"
	typeDevCron = "cron"
)

// maxDevBody is the greatest body that a developer's command line gets; a larger
// one is replaced by a reference. These events are no part of any history.
const maxDevBody = 256 << 10

// devEvent is an event as a command line reads it that runs it on its machine:
// 4.7 of identity-realtime-admin.md, with the spellings of both its generations.
type devEvent struct {
	Type    string            `json:"type"`
	Path    string            `json:"path"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
	Query   json.RawMessage   `json:"query"`

	TriggerMetadata      triggerSnake `json:"trigger_metadata"`
	TriggerMetadataCamel triggerCamel `json:"triggerMetadata"`

	AuthToken        string `json:"auth_token,omitempty"`
	AuthTokenCamel   string `json:"authToken,omitempty"`
	BackendURL       string `json:"backend_url"`
	BackendURLCamel  string `json:"backendUrl"`
	WorkflowID       id.ID  `json:"workflow_id"`
	WorkflowIDCamel  id.ID  `json:"workflowId"`
	ExecutionID      id.ID  `json:"execution_id"`
	ExecutionIDCamel id.ID  `json:"executionId"`
	TriggerID        id.ID  `json:"trigger_id"`
	TriggerIDCamel   id.ID  `json:"triggerId"`
	WebhookID        *id.ID `json:"webhook_id,omitempty"`
	WebhookIDCamel   *id.ID `json:"webhookId,omitempty"`

	// Event is what the handler of a trigger without a webhook is called with.
	Event json.RawMessage `json:"event,omitempty"`
	Time  string          `json:"time"`
}

type triggerSnake struct {
	ProviderType  string          `json:"provider_type"`
	ProviderAlias string          `json:"provider_alias"`
	TriggerType   string          `json:"trigger_type"`
	Input         json.RawMessage `json:"input"`
}

type triggerCamel struct {
	ProviderType  string          `json:"providerType"`
	ProviderAlias string          `json:"providerAlias"`
	TriggerType   string          `json:"triggerType"`
	Input         json.RawMessage `json:"input"`
}

// develop tells an event to those who run it on their own machines, and to
// nobody else where that can be done; where it can't, the token is left out.
func (f *Feed) develop(a execution.Acceptance, got execution.Accepted) {
	event, size := a.Event, len(a.Event.Body)
	a.Event = execution.Event{}
	if size > maxDevBody {
		event.Body = nil // it must not wait in memory
	}
	shown := func(token string) ([]byte, error) {
		e, err := f.devEvent(a, event, size, got.ExecutionID)
		e.AuthToken, e.AuthTokenCamel = token, token
		if err != nil {
			return nil, err
		}
		return json.Marshal(e)
	}
	f.enqueue(item{
		workflow: a.WorkflowID, size: overhead + len(event.Fields) + len(event.Body), options: Options{Passing: true, Only: a.Dev.To},
		make: func() ([]byte, error) {
			token, err := f.RunToken(a.WorkflowID, got.ExecutionID)
			if err != nil {
				return nil, fmt.Errorf("make a run token: %w", err)
			}
			return shown(token)
		},
		otherwise: func() ([]byte, error) { return shown("") },
	})
}

// devEvent is the event of an acceptance, whose body had so many bytes.
func (f *Feed) devEvent(a execution.Acceptance, event execution.Event, size int, x id.ID) (devEvent, error) {
	t := a.Dev.Trigger
	input := t.Input
	if len(input) == 0 {
		input = json.RawMessage("{}") // which command lines take apart without looking
	}
	e := devEvent{
		Type: typeDev, Path: a.Origin.Path, Method: a.Origin.Method, Headers: map[string]string{}, Query: json.RawMessage("{}"),
		TriggerMetadata:      triggerSnake{t.Provider.Type, t.Provider.Alias, t.Type, input},
		TriggerMetadataCamel: triggerCamel{t.Provider.Type, t.Provider.Alias, t.Type, input},
		BackendURL:           f.BackendURL(), BackendURLCamel: f.BackendURL(),
		WorkflowID: a.WorkflowID, WorkflowIDCamel: a.WorkflowID, ExecutionID: x, ExecutionIDCamel: x, TriggerID: t.ID, TriggerIDCamel: t.ID,
		Time: a.ReceivedAt.UTC().Format(timeLayout),
	}
	if t.Webhook == nil {
		if a.Turn != nil {
			e.Type = typeDevCron
		}
		e.Method, e.Path = strings.ToUpper(strings.TrimPrefix(t.Type, "on")), t.Provider.Type+"."+t.Type
		e.Body, e.Event = event.Fields, event.Fields
		return e, nil
	}
	e.WebhookID, e.WebhookIDCamel = &t.Webhook.ID, &t.Webhook.ID
	var fields struct {
		Headers map[string]string `json:"headers"`
		Query   json.RawMessage   `json:"query"`
	}
	if err := json.Unmarshal(event.Fields, &fields); err != nil {
		return e, fmt.Errorf("read the fields of an event: %w", err)
	}
	if len(fields.Query) > 0 {
		e.Query = fields.Query
	}
	for name, value := range fields.Headers {
		if !secretHeader(name) {
			e.Headers[name] = value
		}
	}
	if size > maxDevBody {
		e.Body = referToBody(x, size)
	} else {
		e.Body = devBody(event, x)
	}
	return e, nil
}

// devBody is a body as the handler gets it, as far as JSON can hold that.
func devBody(e execution.Event, of id.ID) any {
	if len(e.Body) == 0 {
		return struct{}{} // what command lines are used to
	}
	if engine.MediaType(e.ContentType) == "application/x-www-form-urlencoded" {
		return formValue(string(e.Body))
	}
	return bodyUpTo(e, of, maxDevBody)
}

// formValue is a form as an object: a text for each name, and all of them for
// one that stands more than once.
func formValue(form string) any {
	values, _ := url.ParseQuery(form) // parts that can't be read are left out
	object := make(map[string]any, len(values))
	for name, all := range values {
		if object[name] = all; len(all) == 1 {
			object[name] = all[0]
		}
	}
	return object
}

// secretHeaders are headers that hold a credential of whoever sent a delivery, or
// prove that they have one.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "cookie2", "x-auth", "authentication"}

// secretWords in the name of a header tell the same of those that are not listed.
var secretWords = []string{"token", "secret", "signature", "password", "api-key", "apikey", "credential", "x-auth-", "authorization", "hmac"}

// secretHeader reports whether a header, named in lower case, is not shown to
// anybody.
func secretHeader(name string) bool {
	return slices.Contains(secretHeaders, name) ||
		slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}
