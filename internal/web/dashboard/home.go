package dashboard

import (
	"context"
	"errors"
	"net/http"

	"github.com/usefloww/flowwd/examples"
	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const helloPath = "/examples/hello"

// registerHome registers where people arrive, and what they try first.
func registerHome(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: "/", Policy: access.Self(access.ReadWhoami), Page: true,
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
		to := workflowsPath
		if access.AllowAnywhere(c.Principal, access.ReadWorkflow) != nil {
			to = ui.Account
		}
		ui.Redirect(w, r, to)
		return nil
	})
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: helloPath, Policy: access.Requires(access.WriteWorkflow), Page: true, Body: true, BodyLimit: ui.MaxForm,
		Timeout: deployTimeout,
	}, route.NoObject(), d.postHello)
}

// firstView is what is shown where there is no workflow yet.
type firstView struct {
	Server string
	// Namespaces are those that the reader can make workflows in.
	Namespaces []ui.Option
	Problem    string
}

func (d Deps) firstView(ctx context.Context, p identity.Principal) (firstView, error) {
	namespaces, err := d.namespaces(ctx, p)
	return firstView{Server: d.PublicURL(), Namespaces: namespaces}, err
}

// namespaces are those that p can make workflows in.
func (d Deps) namespaces(ctx context.Context, p identity.Principal) ([]ui.Option, error) {
	organizations := access.OrganizationsFor(p, access.WriteWorkflow)
	if len(organizations) == 0 {
		return nil, nil
	}
	all, err := d.Tenants.Namespaces(ctx, organizations)
	options := make([]ui.Option, len(all))
	for i, n := range all {
		options[i] = ui.Option{Value: n.ID.String(), Name: n.Organization.DisplayName}
	}
	return options, err
}

// namespace returns the one that a form names.
func (d Deps) namespace(ctx context.Context, p identity.Principal, text string) (tenant.Namespace, error) {
	wrong := fault.New(fault.Invalid, "Say in which organization: the one that was chosen is none of yours")
	named, err := id.Parse(text)
	if err != nil {
		return tenant.Namespace{}, wrong
	}
	n, err := d.Tenants.Namespace(ctx, p.Organizations(), named)
	if fault.Is(err, fault.NotFound) {
		err = wrong
	}
	return n, err
}

func (d Deps) postHello(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	made, err := d.hello(r.Context(), c.Principal, f.Get("namespace"))
	if err == nil {
		ui.Redirect(w, r, workflowPath(made))
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	v, err := d.firstView(r.Context(), c.Principal)
	if err != nil {
		return err
	}
	v.Problem = text
	return ui.Show(w, r, status, d.frame("Workflows", c.Principal), firstPage(v))
}

// hello makes a workflow of the example. One that can't be deployed is no use, and
// would be in the way of trying again.
func (d Deps) hello(ctx context.Context, p identity.Principal, namespace string) (id.ID, error) {
	n, err := d.namespace(ctx, p, namespace)
	if err != nil {
		return id.ID{}, err
	}
	whole := access.Resource{OrganizationID: n.OrganizationID, What: "Namespace"}
	if err := errors.Join(access.Allow(p, access.WriteWorkflow, whole), access.Allow(p, access.DeployWorkflow, whole)); err != nil {
		return id.ID{}, err
	}
	made, err := d.Workflows.Create(ctx, workflow.Workflow{
		OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: examples.HelloName, CreatedByID: p.ID,
	})
	if err != nil {
		return id.ID{}, err
	}
	_, _, err = d.Deployments.Deploy(ctx, deploy.Request{
		Workflow: made, Source: workflow.Source{Files: examples.Hello(), Entrypoint: examples.HelloEntry}, DeployedByID: p.ID,
	})
	if err != nil {
		return id.ID{}, errors.Join(err, d.Workflows.Delete(ctx, made.ID))
	}
	return made.ID, nil
}
