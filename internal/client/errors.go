package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// Error is an answer of the server that is no success.
type Error struct {
	// Status is the HTTP status code.
	Status int
	// Message says what was wrong and what to do.
	Message string
	// FailedTriggers are those that refused a deployment.
	FailedTriggers []FailedTrigger
	// RuntimeID is the runtime that there is already, when that is why.
	RuntimeID string
}

// FailedTrigger is a trigger that could not be made.
type FailedTrigger struct {
	ProviderType string `json:"providerType"`
	TriggerType  string `json:"triggerType"`
	Error        string `json:"error"`
}

// Error returns the message, and the failed triggers, one a line.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.Message)
	for _, t := range e.FailedTriggers {
		fmt.Fprintf(&text, "\n  %s %s: %s", t.ProviderType, t.TriggerType, t.Error)
	}
	return text.String()
}

// hasStatus reports whether err is an answer with this status code.
func hasStatus(err error, status int) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.Status == status
}

// wireError is the body of a failure. Detail is a text, or an object with a
// message and the failed triggers.
type wireError struct {
	Detail  json.RawMessage `json:"detail"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
	Errors  []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

type wireDetail struct {
	Message        string          `json:"message"`
	Description    string          `json:"description"`
	Title          string          `json:"title"`
	FailedTriggers []FailedTrigger `json:"failed_triggers"`
	RuntimeID      string          `json:"runtime_id"`
}

// refused turns an answer that is no success into an error.
func (c *Client) refused(resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorAnswer))
	if err != nil {
		return c.unreachable(resp.Request.Context(), err)
	}
	var body wireError
	if json.Unmarshal(text, &body) != nil {
		return c.foreign(resp)
	}
	answer := &Error{Status: resp.StatusCode}
	body.read(answer)
	if answer.Message == "" {
		return c.foreign(resp)
	}
	if resp.StatusCode == http.StatusUnauthorized {
		answer.Message = c.unauthenticated(answer.Message, resp.Request.Header.Get("Authorization") != "")
	}
	return answer
}

func (b wireError) read(e *Error) {
	var message string
	var detail wireDetail
	if json.Unmarshal(b.Detail, &message) != nil && json.Unmarshal(b.Detail, &detail) == nil {
		message = firstText(detail.Message, detail.Description, detail.Title)
	}
	message = firstText(message, b.Error, b.Message)
	for _, part := range b.Errors {
		if !strings.Contains(message, part.Message) {
			message += fmt.Sprintf("\n  %s: %s", part.Location, part.Message)
		}
	}
	e.Message, e.FailedTriggers, e.RuntimeID = message, detail.FailedTriggers, detail.RuntimeID
}

func firstText(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// unauthenticated says what to do about a credential that is missing or is not
// taken.
func (c *Client) unauthenticated(message string, given bool) string {
	const how = `"flowwd apikey create" on the server makes one; give it with --token or the variable FLOWW_TOKEN`
	login := fmt.Sprintf("flowwd login --server %s", c.base.Redacted())
	switch {
	case c.token != "":
		return fmt.Sprintf("%s does not accept the API key (%s); %s", c.base.Host, message, how)
	case given:
		return fmt.Sprintf("%s does not accept your login (%s); %q logs in again", c.base.Host, message, login)
	default:
		return fmt.Sprintf("no API key was given; %s; or log in with %q", how, login)
	}
}

// foreign says that something answered that is no flowwd.
func (c *Client) foreign(resp *http.Response) error {
	return &Error{Status: resp.StatusCode, Message: fmt.Sprintf(
		"%s %s was answered with %s and a text that is not flowwd's; check the address of the server", resp.Request.Method, resp.Request.URL.Redacted(), resp.Status)}
}

// unreachable explains why there was no answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	base := c.base.Redacted()
	var unknownHost *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing answers at %s; is the server running? \"flowwd serve\" starts one, --server names another one: %w", base, err)
	case errors.As(err, &unknownHost):
		return fmt.Errorf("there is no host %q; check the address of the server: %w", c.base.Hostname(), err)
	case strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return fmt.Errorf("%s does not speak TLS; write its address with http:// instead of https://: %w", base, err)
	default:
		return fmt.Errorf("%s could not be reached: %w", base, err)
	}
}
