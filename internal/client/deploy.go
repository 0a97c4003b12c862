package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
)

// DeployProject deploys a folder with a floww.yaml: it makes the workflow when
// the project has none yet and writes its id into floww.yaml, makes the runtime
// when the project has an image of its own, sends the files, and prints a line
// "METHOD path → url" for each webhook.
func (c *Client) DeployProject(ctx context.Context, dir string, out io.Writer) (Deployment, error) {
	project, err := ReadProject(dir)
	if err != nil {
		return Deployment{}, err
	}
	files, err := projectFiles(project)
	if err != nil {
		return Deployment{}, err
	}
	if project.Build != nil {
		if err := c.runsImages(ctx, *project.Build); err != nil {
			return Deployment{}, err
		}
	}
	workflow, err := c.workflowOf(ctx, project)
	if err != nil {
		return Deployment{}, err
	}
	d := NewDeployment{WorkflowID: workflow, Code: Code{Files: files, Entrypoint: project.Entrypoint}}
	if project.Build == nil {
		d.SDKVersion = sdkVersion(files["package.json"])
	} else if d.RuntimeID, err = c.runtimeOf(ctx, workflow, *project.Build); err != nil {
		return Deployment{}, err
	}
	made, err := c.Deploy(ctx, d)
	if err != nil {
		return Deployment{}, err
	}
	for _, w := range made.Webhooks {
		if _, err := fmt.Fprintf(out, "%s %s → %s\n", w.Method, w.Path, w.URL); err != nil {
			return made, fmt.Errorf("print the webhooks: %w", err)
		}
	}
	return made, nil
}

// projectFiles returns the files of a project that are sent. Packages are not
// where an image has them.
func projectFiles(project Project) (map[string]string, error) {
	return collect(project.Dir, project.Entrypoint, project.Build == nil)
}

// workflowOf returns the id of a project's workflow, which is made when the
// project has none.
func (c *Client) workflowOf(ctx context.Context, project Project) (string, error) {
	if project.WorkflowID != "" {
		_, err := c.Workflow(ctx, project.WorkflowID)
		if hasStatus(err, http.StatusNotFound) {
			return "", fmt.Errorf("%s has no workflow with the id %s; remove the line \"workflowId\" from %s to make a new one there, or deploy to the server that has it",
				c.base.Redacted(), project.WorkflowID, filepath.Join(project.Dir, manifestName))
		}
		return project.WorkflowID, err
	}
	namespace, err := c.namespace(ctx)
	if err != nil {
		return "", err
	}
	workflow, err := c.ensureWorkflow(ctx, NewWorkflow{Name: project.Name, NamespaceID: namespace, Description: project.Description})
	if err != nil {
		return "", err
	}
	return workflow.ID, WriteWorkflowID(project.Dir, workflow.ID)
}

// namespace returns the namespace for new workflows.
func (c *Client) namespace(ctx context.Context) (string, error) {
	if c.Namespace != "" {
		return c.Namespace, nil
	}
	all, err := c.Namespaces(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 1 {
		return all[0].ID, nil
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%s shows no namespace to this API key, so that a workflow has no place; use a key of an organization that has one", c.base.Redacted())
	}
	var list strings.Builder
	for _, n := range all {
		fmt.Fprintf(&list, "\n  %s  %s", n.ID, n.Organization.DisplayName)
	}
	return "", fmt.Errorf("there are %d namespaces; choose the workflow's with the variable FLOWW_NAMESPACE:%s", len(all), &list)
}

// ensureWorkflow makes a workflow, or returns the one that has its name.
func (c *Client) ensureWorkflow(ctx context.Context, w NewWorkflow) (Workflow, error) {
	made, err := c.CreateWorkflow(ctx, w)
	if !hasStatus(err, http.StatusConflict) {
		return made, err
	}
	found, ok, searchErr := c.WorkflowByName(ctx, w.NamespaceID, w.Name)
	if searchErr != nil {
		return Workflow{}, searchErr
	}
	if !ok {
		return Workflow{}, err
	}
	return found, nil
}

// sdkVersion returns the version of the SDK that a package.json asks for, as
// workflows-runtime.md 2.5 of the wire contract has it; empty when it names
// none.
func sdkVersion(manifest string) string {
	var parts struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if json.Unmarshal([]byte(manifest), &parts) != nil {
		return ""
	}
	version := strings.TrimLeft(firstText(parts.Dependencies["floww"], parts.Dependencies["@floww/sdk"]), "^~><= ")
	if version == "" || version[0] < '0' || version[0] > '9' || strings.ContainsAny(version, ": ") {
		return "" // "latest", "*", or a place to get it from
	}
	return version
}
