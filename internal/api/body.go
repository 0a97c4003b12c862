package api

import (
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/route"
)

// registerBody registers where bodies are that events only refer to.
func registerBody(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: executionsPath + "/{id}/body", Policy: access.Requires(access.ReadExecution),
		OperationID: "read-execution-body", Summary: "Read the body of an execution's event as it arrived", Tag: "Executions",
		Description: "404 when the event has no body. Events refer to this address for bodies that are too large for them.",
		ContentType: "application/octet-stream",
	}, d.execution(), func(w http.ResponseWriter, r *http.Request, c route.Call[execution.Execution]) error {
		event, err := d.Executions.Event(r.Context(), c.Object)
		if err != nil {
			return err
		}
		if !event.HasBody {
			return fault.New(fault.NotFound, "This execution's event has no body")
		}
		h := w.Header()
		// What a stranger sent must not be shown as a page of this server.
		h.Set("Content-Disposition", `attachment; filename="body"`)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "private, no-store")
		return route.WriteBody(w, http.StatusOK, "application/octet-stream", event.Body)
	})
}
