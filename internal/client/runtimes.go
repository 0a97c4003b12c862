package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// PushToken is the password for pushing one image.
type PushToken struct {
	Password    string `json:"password"`
	RegistryURL string `json:"registryUrl"`
	ImageTag    string `json:"imageTag"`
}

// OwnImage names an image by its owner and its hash.
type OwnImage struct {
	// Organization may be empty for who is in one alone.
	Organization, Hash string
}

// PushToken asks for a password to push an image. There is one already when the
// answer has the status 409.
func (c *Client) PushToken(ctx context.Context, i OwnImage) (PushToken, error) {
	var made PushToken
	err := c.call(ctx, http.MethodPost, "/api/runtimes/push_token", nil, newPush{ImageHash: i.Hash, OrganizationID: i.Organization}, &made)
	return made, err
}

type newPush struct {
	ImageHash      string `json:"imageHash"`
	OrganizationID string `json:"organizationId,omitempty"`
}

type newRuntime struct {
	Config         runtimeConfig `json:"config"`
	OrganizationID string        `json:"organizationId,omitempty"`
}

type runtimeConfig struct {
	ImageHash string `json:"imageHash"`
}

// Runtime is an image that code runs in.
type Runtime struct {
	ID string `json:"id"`
	// CreationStatus is "completed", "failed" or "removed"; anything else is on the
	// way to one of them.
	CreationStatus string       `json:"creationStatus"`
	CreationLogs   []RuntimeLog `json:"creationLogs"`
}

// RuntimeLog is a line about how a runtime was made.
type RuntimeLog struct {
	Message string `json:"message"`
}

// EnsureRuntime makes a runtime of an image, or returns the one that there is.
func (c *Client) EnsureRuntime(ctx context.Context, i OwnImage) (Runtime, error) {
	var made Runtime
	err := c.call(ctx, http.MethodPost, "/api/runtimes", nil, newRuntime{runtimeConfig{i.Hash}, i.Organization}, &made)
	var answer *Error
	if errors.As(err, &answer) && answer.Status == http.StatusConflict && answer.RuntimeID != "" {
		return c.Runtime(ctx, answer.RuntimeID)
	}
	return made, err
}

// Runtime returns a runtime.
func (c *Client) Runtime(ctx context.Context, id string) (Runtime, error) {
	var found Runtime
	err := c.call(ctx, http.MethodGet, "/api/runtimes/"+url.PathEscape(id), nil, nil, &found)
	return found, err
}

// How often a runtime in the making is looked at, and how many times at most: an
// hour.
const (
	runtimePause = time.Second
	runtimeLooks = 3600
)

// AwaitRuntime waits until a runtime is ready and writes what happens to out, a
// line each. The error says why it failed.
func (c *Client) AwaitRuntime(ctx context.Context, r Runtime, out io.Writer) error {
	shown := 0
	for range runtimeLooks {
		if shown > len(r.CreationLogs) { // it was begun anew
			shown = 0
		}
		for _, line := range r.CreationLogs[shown:] {
			fmt.Fprintln(out, "  "+line.Message)
		}
		shown = len(r.CreationLogs)
		switch r.CreationStatus {
		case "completed":
			return nil
		case "failed":
			return errors.New("the runtime could not be made of the image" + lastOf(r.CreationLogs))
		case "removed":
			return errors.New("the runtime was removed while it was waited for; deploy again")
		}
		if err := c.wait(ctx, runtimePause); err != nil {
			return err
		}
		var err error
		if r, err = c.Runtime(ctx, r.ID); err != nil {
			return err
		}
	}
	return fmt.Errorf("the runtime %s is still being made; deploy again when GET /api/runtimes/%s says completed", r.ID, r.ID)
}

func lastOf(logs []RuntimeLog) string {
	if len(logs) == 0 {
		return ""
	}
	return ": " + logs[len(logs)-1].Message
}

// runsImages asks the server whether there is any use in building an image. One
// that does not say is not in the way.
func (c *Client) runsImages(ctx context.Context, b Build) error {
	var config struct {
		Features struct {
			Images *bool `json:"images"`
		} `json:"features"`
	}
	if err := c.call(ctx, http.MethodGet, "/api/config", nil, nil, &config); err != nil {
		return err
	}
	if can := config.Features.Images; can == nil || *can {
		return nil
	}
	return fmt.Errorf("the project has %s, but %s runs no images, so that none was built; whoever runs the server can start it with --runtime docker, and "+
		"\"build: false\" in %s deploys the code without an image", b.Dockerfile, c.base.Redacted(), manifestName)
}

// runtimeOf returns the runtime of a project's image: builds the image, pushes it
// if the server has it not, and waits until the runtime is ready.
func (c *Client) runtimeOf(ctx context.Context, workflow string, b Build) (string, error) {
	out := c.Progress
	if out == nil {
		out = io.Discard
	}
	if err := c.Docker.check(ctx); err != nil {
		return "", err
	}
	organization, err := c.organizationOf(ctx, workflow)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(out, "Building the image of %s\n", b.Dockerfile)
	built, err := c.Docker.build(ctx, out, "floww:"+workflow, b)
	if err != nil {
		return "", err
	}
	image := OwnImage{organization, built.hash}
	token, err := c.PushToken(ctx, image)
	switch {
	case hasStatus(err, http.StatusConflict):
		fmt.Fprintln(out, "The server has the image already")
	case err != nil:
		return "", err
	default:
		fmt.Fprintf(out, "Pushing the image to %s\n", token.RegistryURL)
		if err := c.Docker.push(ctx, out, built.id, token); err != nil {
			return "", err
		}
	}
	runtime, err := c.EnsureRuntime(ctx, image)
	if err != nil {
		return "", err
	}
	if runtime.CreationStatus != "completed" {
		fmt.Fprintln(out, "Making the runtime ready")
		err = c.AwaitRuntime(ctx, runtime, out)
	}
	return runtime.ID, err
}

// organizationOf returns whose a workflow is; empty when that can't be told.
func (c *Client) organizationOf(ctx context.Context, workflow string) (string, error) {
	w, err := c.Workflow(ctx, workflow)
	if err != nil {
		return "", err
	}
	all, err := c.Namespaces(ctx)
	if err != nil {
		return "", err
	}
	for _, n := range all {
		if n.ID == w.NamespaceID {
			return n.Organization.ID, nil
		}
	}
	return "", nil
}
