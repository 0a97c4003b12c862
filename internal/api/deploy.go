package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

// deployTimeout bounds compiling and activating.
const deployTimeout = time.Minute

type deployRequest struct {
	Body struct {
		WorkflowID       string           `json:"workflowId"`
		Code             userCode         `json:"code"`
		SDKVersion       optional[string] `json:"sdkVersion,omitempty" doc:"The SDK that the code was written against"`
		ProviderMappings json.RawMessage  `json:"providerMappings,omitempty" doc:"Provider ids by type and by the alias in the code"`
		Note             optional[string] `json:"note,omitempty"`
		RuntimeID        optional[string] `json:"runtimeId,omitempty" doc:"The runtime of an image that the code runs in; absent for the default one"`
	}
}

func registerDeploy(r *route.Router, d Deps) {
	route.Operation(r, route.Spec{ // D2
		Method: http.MethodPost, Path: deploymentsPath, Aliases: []string{deploymentsAlias},
		Policy: access.Requires(access.DeployWorkflow), BodyLimit: d.DeploymentBody, Timeout: deployTimeout,
		OperationID: "deploy", Summary: "Deploy code to a workflow",
		Description: "Compiles the code, extracts the triggers that it declares, and makes it the active deployment. " +
			"Code that does not compile is refused with file, line and column. Code that is active already is answered with its deployment.",
		Tag: "Deployments", Status: http.StatusCreated,
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], in *deployRequest) (*deploymentBody, error) {
		request, err := d.deployRequest(ctx, c, in)
		if err != nil {
			return nil, err
		}
		made, triggers, err := d.Deployments.Deploy(ctx, request)
		if err != nil {
			return nil, err
		}
		body := showDeployment(made, c.Pattern)
		body.Webhooks = showWebhooks(d.PublicURL(), triggers)
		return &body, nil
	})
}

func (d Deps) deployRequest(ctx context.Context, c route.Call[route.None], in *deployRequest) (deploy.Request, error) {
	b := &in.Body
	mappings, err := object("body.providerMappings", b.ProviderMappings)
	if err != nil {
		return deploy.Request{}, err
	}
	w, err := d.workflowToDeploy(ctx, c, b.WorkflowID)
	if err != nil {
		return deploy.Request{}, err
	}
	request := deploy.Request{
		Workflow: w, Source: workflow.Source{Files: b.Code.Files, Entrypoint: b.Code.Entrypoint},
		ProviderMappings: mappings, DeployedByID: c.Principal.ID, Note: b.Note.Value,
		MayUseSecrets: access.Decide(c.Principal, access.UseSecret, access.Resource{OrganizationID: w.OrganizationID}).Allowed,
	}
	if b.RuntimeID.Value != nil && *b.RuntimeID.Value != "" {
		if request.Runtime, request.Source.Image, err = d.readyRuntime(ctx, w, *b.RuntimeID.Value); err != nil {
			return request, err
		}
	}
	if b.SDKVersion.Value != nil {
		request.ClientSDKVersion = *b.SDKVersion.Value
	}
	return request, nil
}

// readyRuntime returns a runtime of the workflow's organization with its image, as
// soon as it is ready.
func (d Deps) readyRuntime(ctx context.Context, w workflow.Workflow, text string) (runtime id.ID, image string, err error) {
	named, err := id.Parse(text)
	if err != nil {
		return named, "", invalid("body.runtimeId", "is no runtime; leave it out to use the default one")
	}
	r, image, err := d.Runtimes.Ready(ctx, []id.ID{w.OrganizationID}, named)
	return r.ID, image, err
}

func (d Deps) workflowToDeploy(ctx context.Context, c route.Call[route.None], text string) (workflow.Workflow, error) {
	named, err := id.Parse(text)
	if err != nil {
		return workflow.Workflow{}, errNoWorkflow()
	}
	w, err := d.Workflows.Workflow(ctx, c.Principal.Organizations(), named)
	if fault.Is(err, fault.NotFound) {
		return workflow.Workflow{}, errNoWorkflow()
	}
	if err != nil {
		return workflow.Workflow{}, err
	}
	return w, access.Allow(c.Principal, access.DeployWorkflow, objects.OfWorkflow(w))
}

// errNoWorkflow is 400 and not 404, because the address is right; existing
// clients expect it.
func errNoWorkflow() error {
	f := fault.New(fault.Invalid, "Workflow not found")
	f.Fields = []fault.Field{{Location: "body.workflowId", Message: "is no workflow of yours"}}
	return f
}
