package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Alerts knows who is told of failures.
type Alerts interface {
	Receivers(ctx context.Context, workflow id.ID) ([]alert.Receiver, error)
	// Change returns the secret of a webhook's signatures when there is a new one.
	Change(ctx context.Context, w workflow.Workflow, r alert.Request) (secret string, err error)
}

type changeAlerts struct {
	Body struct {
		WebhookURL optional[string] `json:"webhookUrl,omitempty" doc:"Where failures are told by a signed request; null removes it"`
		Email      optional[string] `json:"email,omitempty" doc:"Where failures are told by mail; null removes it"`
	}
}

type alertsBody struct {
	Webhook nullable[receiverBody] `json:"webhook"`
	Email   nullable[receiverBody] `json:"email"`
	Handler nullable[receiverBody] `json:"handler" doc:"The workflow's own onFailure; null until there was a failure"`
	Secret  *string                `json:"signingSecret" doc:"The secret of the webhook's signatures (Standard Webhooks). It is shown once, when its address is set"`
}

type receiverBody struct {
	To         string     `json:"to" doc:"The host of a webhook, or the address of mail"`
	UpdatedAt  timestamp  `json:"updatedAt"`
	LastSentAt *timestamp `json:"lastSentAt" nullable:"true" doc:"When a notice was taken last"`
	Waiting    int        `json:"waiting" doc:"How many failures it has not been told"`
	Problem    *string    `json:"problem" doc:"Why the last try to tell it failed"`
}

func registerAlerts(r *route.Router, d Deps) {
	const tag = "Workflows"
	path := workflowsPath + "/{id}/failure-notifications"
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: path, Policy: access.Requires(access.ReadWorkflow),
		OperationID: "get-failure-notifications", Summary: "Show who is told when executions of a workflow fail", Tag: tag,
	}, d.workflow(), func(ctx context.Context, c route.Call[workflow.Workflow], _ *struct{}) (*alertsBody, error) {
		return d.showAlerts(ctx, c.Object, "")
	})
	route.Operation(r, route.Spec{
		Method: http.MethodPatch, Path: path, Policy: access.Requires(access.WriteWorkflow),
		OperationID: "change-failure-notifications", Summary: "Say who is told when executions of a workflow fail; members that are absent stay as they are", Tag: tag,
		Description: "An execution that has failed for good, or taken too long, is told at once, and what fails within the next minute in one further notice with a count. " +
			"A notice is sent until its receiver takes it, for about half a day, and may come twice with the same id.",
	}, d.workflow(), func(ctx context.Context, c route.Call[workflow.Workflow], in *changeAlerts) (*alertsBody, error) {
		request := alert.Request{By: c.Principal.ID}
		if b := &in.Body; b.WebhookURL.Set {
			request.WebhookURL = &b.WebhookURL.Value
		}
		if b := &in.Body; b.Email.Set {
			request.Mail = &b.Email.Value
		}
		secret, err := d.Alerts.Change(ctx, c.Object, request)
		if err != nil {
			return nil, err
		}
		return d.showAlerts(ctx, c.Object, secret)
	})
}

func (d Deps) showAlerts(ctx context.Context, w workflow.Workflow, secret string) (*alertsBody, error) {
	receivers, err := d.Alerts.Receivers(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	body := alertsBody{Secret: textOrNull(secret)}
	into := map[alert.Kind]*nullable[receiverBody]{alert.Webhook: &body.Webhook, alert.Mail: &body.Email, alert.Handler: &body.Handler}
	for _, r := range receivers {
		into[r.Kind].Value = &receiverBody{
			To: r.Label, UpdatedAt: timestamp(r.UpdatedAt), LastSentAt: timestampOrNull(r.SentAt), Waiting: r.Waiting, Problem: textOrNull(r.Problem),
		}
	}
	return &body, nil
}
