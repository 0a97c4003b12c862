package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"

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
	address := func(r *http.Request, c route.Call[route.None]) trigger.Address {
		return trigger.Address{Method: r.Method, Path: webhookPath + c.Param("path"), Escaped: r.URL.EscapedPath()}
	}
	receive := func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
		if r.Method == http.MethodHead {
			return showMethods(w, r, http.StatusOK, d.Receiver, address(r, c))
		}
		// Parts of the query that can't be read are left out: refusing the
		// delivery would lose it all, and its sender can't do better.
		answer, err := d.Receiver.Receive(r.Context(), trigger.Request{
			Address: address(r, c), Header: r.Header, Query: r.URL.Query(), Body: c.Body,
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
	route.Raw(r, route.Spec{
		Method: http.MethodOptions, Path: webhookPath + "{path...}", Policy: access.Public(access.ReceiveWebhook), Unlimited: true,
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
		return showMethods(w, r, http.StatusNoContent, d.Receiver, address(r, c))
	})
}

// showMethods answers those who ask whether an address is there, such as
// senders that check it before they send. Nothing runs.
func showMethods(w http.ResponseWriter, r *http.Request, status int, from Receiver, a trigger.Address) error {
	methods, err := from.Methods(r.Context(), a)
	if err != nil {
		return err
	}
	if len(methods) == 0 {
		return route.WriteBody(w, http.StatusNotFound, jsonType, []byte(noWebhookBody))
	}
	methods = append(methods, http.MethodHead, http.MethodOptions)
	slices.Sort(methods)
	w.Header().Set("Allow", strings.Join(methods, ", "))
	w.WriteHeader(status)
	return nil
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
