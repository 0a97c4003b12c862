package api

import (
	"errors"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/trigger"
)

const (
	webhookPath = "/webhook/"
	jsonType    = "application/json"
)

// executionHeader names the execution in answers whose body is fixed.
const executionHeader = "X-Floww-Execution-Id"

// Two bodies that existing senders compare to the letter.
const (
	noWebhookBody    = `{"error":"Webhook not found"}`
	noDeploymentBody = `{"message":"No active deployment found, only sent to dev mode."}`
)

// registerWebhook registers the receiver. It is the hottest path of the server
// and does without reflection; the body is the receiver's to keep, because a
// run that starts at once reads it after the answer.
func registerWebhook(r *route.Router, d Deps) {
	receive := func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
		// Parts of the query that can't be read are left out: refusing the
		// delivery would lose it all, and its sender can't do better.
		answer, err := d.Receiver.Receive(r.Context(), trigger.Request{
			Method: r.Method, Path: webhookPath + c.Param("path"), Header: r.Header, Query: r.URL.Query(), Body: c.Body,
		})
		if errors.Is(err, trigger.ErrNoWebhook) {
			return route.WriteBody(w, http.StatusNotFound, jsonType, []byte(noWebhookBody))
		}
		if err != nil {
			return err
		}
		w.Header().Set(executionHeader, answer.ExecutionID.String())
		if answer.HandlerResponds && !answer.Diverted {
			return respond(w, r, d, answer)
		}
		if answer.State == execution.NoDeployment && !answer.Diverted {
			return route.WriteBody(w, http.StatusOK, jsonType, []byte(noDeploymentBody))
		}
		var room [320]byte
		return route.WriteBody(w, http.StatusOK, jsonType, appendAnswer(room[:0], answer))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		route.Raw(r, route.Spec{
			Method: method, Path: webhookPath + "{path...}", Policy: access.Public(access.ReceiveWebhook),
			Body: true, BodyLimit: d.WebhookBody, Unlimited: true, Timeout: respondTimeout,
		}, route.NoObject(), receive)
	}
}

// appendAnswer appends the JSON of an answer. Ids need no escapes.
func appendAnswer(b []byte, a trigger.Answer) []byte {
	member := func(name string, x id.ID) {
		b = append(append(b, name...), x.String()...)
	}
	member(`{"webhookId":"`, a.WebhookID)
	member(`","triggerId":"`, a.TriggerID)
	member(`","workflowId":"`, a.WorkflowID)
	member(`","executionId":"`, a.ExecutionID)
	return append(b, `","status":"invoked"}`...)
}
