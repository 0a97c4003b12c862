package trigger

import (
	"context"
	"net/http"
	"net/url"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/provider"
)

// ErrNoWebhook says that no trigger has this address.
var ErrNoWebhook = fault.New(fault.NotFound, "Webhook not found")

// Request is a delivery as it arrived at a webhook's address.
type Request struct {
	Address
	Header http.Header
	Query  url.Values
	Body   []byte
}

// Answer is what became of a delivery that was kept.
type Answer struct {
	WebhookID   id.ID
	TriggerID   id.ID
	WorkflowID  id.ID
	ExecutionID id.ID
	State       execution.State
	// Diverted says that a developer runs it instead of the deployed code.
	Diverted bool
	// Repeated says that the delivery was kept before.
	Repeated bool
	// HandlerResponds says that the sender is to be answered with what the
	// execution, which OrganizationID owns, comes to.
	HandlerResponds bool
	OrganizationID  id.ID
}

// Accepter stores an event with its execution and starts the run.
type Accepter interface {
	Accept(ctx context.Context, a execution.Acceptance) (execution.Accepted, error)
}

// Receiver turns deliveries into accepted executions.
type Receiver struct {
	Routes     *Routes
	Catalogue  provider.Catalogue
	Executions Accepter
}

// Receive finds the trigger at the address, lets its provider check and name
// the delivery, and accepts it. When it returns no error the event is on disk.
func (r *Receiver) Receive(ctx context.Context, req Request) (Answer, error) {
	t, err := r.Routes.Find(ctx, req.Address)
	if err != nil {
		return Answer{}, err
	}
	if t == nil {
		return Answer{}, ErrNoWebhook
	}
	answer, err := r.receive(ctx, req, t)
	if !fault.Is(err, fault.NotFound) {
		return answer, err
	}
	// The trigger was removed after it was read; another may have its address.
	next, err := r.Routes.Again(ctx, t.WorkflowID, req.Address)
	if err != nil {
		return Answer{}, err
	}
	if next == nil || next.ID == t.ID {
		return Answer{}, ErrNoWebhook
	}
	return r.receive(ctx, req, next)
}

// Methods returns the methods that an address takes, sorted; none when there is
// nothing. It runs nothing: senders ask whether an address is there.
func (r *Receiver) Methods(ctx context.Context, a Address) ([]string, error) {
	return r.Routes.Methods(ctx, a)
}

func (r *Receiver) receive(ctx context.Context, req Request, t *Found) (Answer, error) {
	source, err := r.Catalogue.Provider(t.Provider.Type)
	if err != nil {
		return Answer{}, err
	}
	receipt, err := source.Receive(t.Declaration, provider.Delivery{
		Method: req.Method, Path: req.Path, Params: t.Params, Header: req.Header, Query: req.Query, Body: req.Body,
	})
	if err != nil {
		return Answer{}, err
	}
	accepted, err := r.Executions.Accept(ctx, execution.Acceptance{
		OrganizationID: t.OrganizationID,
		WorkflowID:     t.WorkflowID,
		TriggerID:      t.ID,
		Origin: execution.Origin{
			ProviderType: t.Provider.Type, ProviderAlias: t.Provider.Alias, TriggerType: t.Type,
			Method: req.Method, Path: req.Path,
		},
		Event:       execution.Event{Fields: receipt.Fields, HasBody: true, ContentType: receipt.ContentType, Body: req.Body},
		DeliveryKey: receipt.Key, DeliveryVaries: receipt.Varies,
	})
	if err != nil {
		return Answer{}, err
	}
	return Answer{
		WebhookID: t.Webhook.ID, TriggerID: t.ID, WorkflowID: t.WorkflowID,
		ExecutionID: accepted.ExecutionID, State: accepted.State, Diverted: accepted.Diverted, Repeated: accepted.Repeated,
		HandlerResponds: t.Options.HandlerResponds, OrganizationID: t.OrganizationID,
	}, nil
}
