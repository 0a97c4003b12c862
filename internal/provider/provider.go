package provider

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
}

// WebhookNeed is an address to be made for a trigger.
type WebhookNeed struct {
	// Method is an HTTP method in upper case.
	Method string
	// Path is what the author chose, without slashes around it; empty to have
	// one made.
	Path string
}

// Delivery is a request as it arrived.
type Delivery struct {
	Method string
	Path   string
	Header http.Header
	Query  url.Values
	Body   []byte
}

// Receipt is what a provider made of a delivery.
type Receipt struct {
	// Key names the delivery, so that it is accepted once; empty when the
	// sender gave it no name.
	Key string
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
