package provider

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Provider is an integration.
type Provider interface {
	// Check says what a declared trigger needs; a fault of kind Invalid when
	// the provider has no such trigger or its input is wrong.
	Check(declaration workflow.Declaration) (Need, error)
	// Receive checks a delivery for one of the provider's triggers and names
	// it. An error refuses the delivery.
	Receive(trigger workflow.Declaration, delivery Delivery) (Receipt, error)
}

// Need is what a trigger needs to be called.
type Need struct {
	// Webhook is nil when nothing outside calls the trigger.
	Webhook *WebhookNeed
	// Schedule is nil when no clock fires the trigger.
	Schedule Schedule
	// Form is nil when nobody fires the trigger by hand.
	Form Form
}

// Schedule says when a trigger fires.
type Schedule interface {
	// Next returns the first time after another; zero when there is none.
	Next(after time.Time) time.Time
	// Latest returns the last time that is not after now, given the first one
	// that was missed.
	Latest(missed, now time.Time) time.Time
	// Event returns the fields of the event for a planned time.
	Event(planned, actual time.Time) (json.RawMessage, error)
}

// FormInput begins the places of what is wrong in an input of a Form.
const FormInput = "inputData"

// Form is what people see who fire a trigger by hand.
type Form interface {
	// Name and Description are for people; Schema is a JSON Schema, nil when any
	// object will do.
	Name() string
	Description() string
	Schema() json.RawMessage
	// Event checks an input and returns the fields of the event with it;
	// fault.Invalid when the schema does not allow it, with the parts that are wrong.
	Event(by string, input json.RawMessage) (json.RawMessage, error)
}

// WebhookNeed is an address to be made for a trigger.
type WebhookNeed struct {
	// Method is an HTTP method in upper case.
	Method string
	// Path is what the author chose, without slashes around it; empty to have
	// one made. A segment such as :name is a parameter.
	Path string
}

// Delivery is a request as it arrived.
type Delivery struct {
	Method string
	Path   string
	// Params are the values of the parameters in the author's path.
	Params map[string]string
	Header http.Header
	Query  url.Values
	Body   []byte
}

// Receipt is what a provider made of a delivery.
type Receipt struct {
	// Key names the delivery, so that it is accepted once; empty when the
	// sender gave it no name.
	Key string
	// Varies says that the sender may send the same delivery with another body.
	Varies bool
	// Fields is a JSON object with the event's members other than the body.
	Fields json.RawMessage
	// ContentType says how the body becomes a value; see engine.Event.
	ContentType string
}

// Catalogue maps provider types to providers.
type Catalogue map[string]Provider

// Provider returns the provider of a type; fault.Invalid names those that exist
// when there is none.
func (c Catalogue) Provider(providerType string) (Provider, error) {
	p, ok := c[providerType]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(c)), ", ")
		return nil, fault.New(fault.Invalid, "provider %q is not available here; available: %s", providerType, known)
	}
	return p, nil
}
