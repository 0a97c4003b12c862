package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Namespace holds workflows.
type Namespace struct {
	ID           string       `json:"id"`
	Organization Organization `json:"organization"`
}

// Organization owns namespaces.
type Organization struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// Workflow is a named piece of code with its triggers and runs.
type Workflow struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	NamespaceID string  `json:"namespaceId"`
	Active      bool    `json:"active"`
}

// NewWorkflow is a workflow to be made.
type NewWorkflow struct {
	Name        string `json:"name"`
	NamespaceID string `json:"namespaceId"`
	Description string `json:"description,omitempty"`
}

// Namespaces returns the namespaces that the API key may see.
func (c *Client) Namespaces(ctx context.Context) ([]Namespace, error) {
	var list struct {
		Results []Namespace `json:"results"`
	}
	err := c.call(ctx, http.MethodGet, "/api/namespaces", nil, nil, &list)
	return list.Results, err
}

// CreateWorkflow makes a workflow. The error has the status 409 when the
// namespace has one of this name.
func (c *Client) CreateWorkflow(ctx context.Context, w NewWorkflow) (Workflow, error) {
	var made Workflow
	err := c.call(ctx, http.MethodPost, "/api/workflows", nil, w, &made)
	return made, err
}

// Workflow returns a workflow. The error has the status 404 when the server
// does not know it.
func (c *Client) Workflow(ctx context.Context, workflow string) (Workflow, error) {
	var found Workflow
	err := c.call(ctx, http.MethodGet, "/api/workflows/"+url.PathEscape(workflow), nil, nil, &found)
	return found, err
}

// maxPages bounds a search that goes through pages.
const maxPages = 100

// WorkflowByName returns the workflow of a namespace that has this name; false
// when there is none.
func (c *Client) WorkflowByName(ctx context.Context, namespace, name string) (Workflow, bool, error) {
	const limit = 100
	for page := range maxPages {
		var list struct {
			Results []Workflow `json:"results"`
		}
		query := url.Values{
			"namespaceId": {namespace}, "search": {name},
			"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(page * limit)},
		}
		if err := c.call(ctx, http.MethodGet, "/api/workflows", query, nil, &list); err != nil {
			return Workflow{}, false, err
		}
		for _, w := range list.Results {
			if w.Name == name && w.NamespaceID == namespace {
				return w, true, nil
			}
		}
		if len(list.Results) < limit {
			break
		}
	}
	return Workflow{}, false, nil
}
