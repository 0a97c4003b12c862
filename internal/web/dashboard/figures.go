package dashboard

import (
	"net/http"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

type figuresView struct {
	pageHead
	Period  string
	Periods []ui.Link
	execution.Figures
	Bars []ui.Bar
}

func (d Deps) getFigures(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	v := figuresView{pageHead: headOf(c.Object, "/metrics"), Period: r.URL.Query().Get("period")}
	var chosen *execution.Period
	var names []string
	for _, p := range execution.Periods() {
		if v.Period == "" {
			v.Period = p.Name
		}
		if p.Name == v.Period {
			chosen = &p
		}
		names = append(names, p.Name)
		v.Periods = append(v.Periods, ui.Link{Path: v.Here + "?period=" + p.Name, Name: p.Name})
	}
	if chosen == nil {
		return fault.New(fault.Invalid, "the period in the address must be one of %s", strings.Join(names, ", "))
	}
	var err error
	if v.Figures, err = d.Executions.Figures(r.Context(), c.Object.ID, *chosen); err != nil {
		return err
	}
	for _, part := range v.Parts {
		v.Bars = append(v.Bars, ui.Bar{All: part.Runs, Bad: part.Failed})
	}
	return ui.Show(w, r, http.StatusOK, d.workflowFrame("Metrics of ", c), figuresPage(v))
}

// tookOrNone writes how long runs took; nothing where there were none.
func tookOrNone(d *time.Duration) string {
	if d == nil {
		return "–"
	}
	return tookText(*d)
}
