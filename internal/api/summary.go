package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/route"
)

// summaryBody has its members in both spellings, for two generations of clients.
type summaryBody struct {
	Days              []summaryDay `json:"executionsByDay" nullable:"false" doc:"One for each UTC day, in order; by when an event was received"`
	DaysOld           []summaryDay `json:"executions_by_day" nullable:"false"`
	TotalExecutions   int          `json:"totalExecutions"`
	TotalOld          int          `json:"total_executions"`
	TotalCompleted    int          `json:"totalCompleted"`
	TotalCompletedOld int          `json:"total_completed"`
	TotalFailed       int          `json:"totalFailed"`
	TotalFailedOld    int          `json:"total_failed"`
	PeriodDays        int          `json:"periodDays"`
	PeriodDaysOld     int          `json:"period_days"`
}

type summaryDay struct {
	Date            string `json:"date" format:"date"`
	Total           int    `json:"total" doc:"Without those that found no deployment"`
	Received        int    `json:"received"`
	Started         int    `json:"started"`
	Completed       int    `json:"completed"`
	Failed          int    `json:"failed"`
	Timeout         int    `json:"timeout"`
	Cancelled       int    `json:"cancelled"`
	NoDeployment    int    `json:"noDeployment"`
	NoDeploymentOld int    `json:"no_deployment"`
}

type askSummary struct {
	NamespaceID string `query:"namespaceId" required:"true" doc:"The namespace whose executions are counted"`
	Days        int    `query:"days" default:"7" doc:"How many days, today included, up to 365"`
}

func registerSummary(r *route.Router, d Deps) {
	route.Operation(r, route.Spec{ // E7
		Method: http.MethodGet, Path: "/api/summary", Policy: access.Requires(access.ReadExecution),
		OperationID: "get-summary", Summary: "Count a namespace's executions by day and state", Tag: "Executions",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], in *askSummary) (*summaryBody, error) {
		if in.Days < 1 || in.Days > execution.MaxSummaryDays {
			return nil, invalid("query.days", fmt.Sprintf("Days must be between 1 and %d", execution.MaxSummaryDays))
		}
		n, err := d.findNamespace(ctx, c.Principal, in.NamespaceID, access.ReadExecution)
		if err != nil {
			return nil, err
		}
		days, err := d.Executions.Summary(ctx, n.OrganizationID, n.ID, in.Days)
		if err != nil {
			return nil, err
		}
		return showSummary(days), nil
	})
}

func showSummary(days []execution.Day) *summaryBody {
	body := &summaryBody{Days: make([]summaryDay, len(days)), PeriodDays: len(days)}
	for i, d := range days {
		x := summaryDay{
			Date: d.Day.Format(time.DateOnly), Received: d.Counts[execution.Received], Started: d.Counts[execution.Started],
			Completed: d.Counts[execution.Completed], Failed: d.Counts[execution.Failed], Timeout: d.Counts[execution.TimedOut],
			Cancelled: d.Counts[execution.Cancelled], NoDeployment: d.Counts[execution.NoDeployment],
		}
		x.NoDeploymentOld = x.NoDeployment
		for state, n := range d.Counts {
			if state != execution.NoDeployment {
				x.Total += n
			}
		}
		body.TotalExecutions += x.Total
		body.TotalCompleted += x.Completed
		body.TotalFailed += x.Failed
		body.Days[i] = x
	}
	body.DaysOld, body.TotalOld, body.TotalCompletedOld, body.TotalFailedOld, body.PeriodDaysOld = body.Days, body.TotalExecutions, body.TotalCompleted, body.TotalFailed, body.PeriodDays
	return body
}
