package client

import (
	"context"
	"net/http"
)

// Code is the files of a deployment by their path, and the file that is run.
type Code struct {
	Files      map[string]string `json:"files"`
	Entrypoint string            `json:"entrypoint"`
}

// NewDeployment is code to be deployed.
type NewDeployment struct {
	WorkflowID string `json:"workflowId"`
	// RuntimeID is the runtime that the code runs in; empty for the server's own.
	RuntimeID string `json:"runtimeId,omitempty"`
	// SDKVersion is the version of the SDK that the project asks for; empty
	// when it does not say.
	SDKVersion string `json:"sdkVersion,omitempty"`
	Code       Code   `json:"code"`
}

// Deployment is one version of a workflow's code.
type Deployment struct {
	ID         string    `json:"id"`
	WorkflowID string    `json:"workflowId"`
	Status     string    `json:"status"`
	Webhooks   []Webhook `json:"webhooks"`
}

// Webhook is an address that starts runs.
type Webhook struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	URL    string `json:"url"`
}

// Deploy makes code the active deployment of a workflow.
func (c *Client) Deploy(ctx context.Context, d NewDeployment) (Deployment, error) {
	var made Deployment
	err := c.call(ctx, http.MethodPost, "/api/workflow-deployments", nil, d, &made)
	return made, err
}
