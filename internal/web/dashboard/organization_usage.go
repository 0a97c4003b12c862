package dashboard

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const usagePath = organizationPath + "/usage"

// usageView is how much an organization uses.
type usageView struct {
	Organization, Name string
	Choices            []ui.Option
	// Days is how many are shown, Periods what there is to choose from.
	Days    int
	Periods []ui.Link
	Shown   []usageDay
	Bars    []ui.Bar
	usageSum
	// Images and ImagesLimit are bytes; ImagesKnown is false when those could not be
	// counted.
	ImagesKnown                      bool
	Images, ImagesLimit              int64
	Workflows, Secrets, Tables, Keys int
}

// usageSum is how many runs there were, and how they ended.
type usageSum struct{ Runs, Completed, Failed, Open int }

// usageDay is one day of the chart.
type usageDay struct {
	Day time.Time
	usageSum
}

// sumUp counts a day's executions. Events that met no deployment are no runs.
func sumUp(counts map[execution.State]int) (s usageSum) {
	for state, n := range counts {
		switch state {
		case execution.NoDeployment:
			continue
		case execution.Completed:
			s.Completed += n
		case execution.Failed, execution.TimedOut:
			s.Failed += n
		case execution.Received, execution.Started:
			s.Open += n
		}
		s.Runs += n
	}
	return s
}

// usageDays are the lengths that the chart can have.
var usageDays = []int{30, 90, 365}

func (d Deps) getUsage(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	o, err := d.chosen(r, c.Principal, access.ReadOrganization)
	if err != nil {
		return err
	}
	v := usageView{Organization: o.ID.String(), Name: o.DisplayName, ImagesLimit: d.Own.ImagesLimit}
	if err := v.period(r.URL.Query().Get("days")); err != nil {
		return err
	}
	if v.Choices, err = d.choices(r.Context(), c.Principal, access.ReadOrganization); err != nil {
		return err
	}
	namespaces, err := d.Tenants.Namespaces(r.Context(), []id.ID{o.ID})
	if err != nil {
		return err
	}
	for _, n := range namespaces {
		if err := d.addUsage(r.Context(), n, &v); err != nil {
			return err
		}
	}
	for _, day := range v.Shown {
		v.Bars = append(v.Bars, ui.Bar{All: day.Runs, Bad: day.Failed})
	}
	v.Images, v.ImagesKnown = d.Own.ImageUsage(r.Context(), o.ID)
	f := d.Frame("Usage", c.Principal)
	f.Here = organizationPath
	return ui.Show(w, r, http.StatusOK, f, usagePage(v))
}

// period reads how many days are shown.
func (v *usageView) period(text string) error {
	v.Days = usageDays[0]
	for _, n := range usageDays {
		days := strconv.Itoa(n)
		v.Periods = append(v.Periods, ui.Link{Path: tab(usagePath, v.Organization) + "&days=" + days, Name: days + " days"})
		if text == days {
			v.Days = n
		}
	}
	if text != "" && text != strconv.Itoa(v.Days) {
		return fault.New(fault.Invalid, "the days in the address must be 30, 90 or 365")
	}
	return nil
}

// addUsage adds what a namespace uses.
func (d Deps) addUsage(ctx context.Context, n tenant.Namespace, v *usageView) error {
	days, err := d.Executions.Summary(ctx, n.OrganizationID, n.ID, v.Days)
	if err != nil {
		return err
	}
	if v.Shown == nil {
		v.Shown = make([]usageDay, len(days))
	}
	for i, day := range days {
		sum := sumUp(day.Counts)
		v.Shown[i].Day = day.Day
		v.Shown[i].usageSum = v.Shown[i].plus(sum)
		v.usageSum = v.plus(sum)
	}
	workflows, err := d.Workflows.List(ctx, workflow.ListFilter{Organizations: []id.ID{n.OrganizationID}, NamespaceID: n.ID, Limit: 1})
	if err != nil {
		return err
	}
	secrets, err := d.Own.Secrets.List(ctx, secret.Filter{NamespaceID: n.ID})
	if err != nil {
		return err
	}
	tables, err := d.Own.KeyValues.All(ctx, ownerIn(n))
	if err != nil {
		return err
	}
	v.Workflows, v.Secrets, v.Tables = v.Workflows+workflows.Total, v.Secrets+len(secrets), v.Tables+len(tables)
	for _, t := range tables {
		v.Keys += t.Keys
	}
	return nil
}

func (s usageSum) plus(other usageSum) usageSum {
	return usageSum{s.Runs + other.Runs, s.Completed + other.Completed, s.Failed + other.Failed, s.Open + other.Open}
}
