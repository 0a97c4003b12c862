package alert

import (
	"context"
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// maxError bounds the text of an error in a notice, in characters.
const maxError = 2000

// instant is how times are written.
const instant = "2006-01-02T15:04:05.000Z"

// report is what receivers are told, as JSON. The error is without the values of
// secrets, as it is stored.
type report struct {
	WorkflowID   id.ID  `json:"workflowId"`
	WorkflowName string `json:"workflowName"`
	// Failures is how many there were since then.
	Failures  int     `json:"failures"`
	Since     string  `json:"since"`
	Execution *failed `json:"execution"`
}

// failed is the last execution of those that failed.
type failed struct {
	ID         id.ID           `json:"id"`
	Status     execution.State `json:"status"`
	Error      string          `json:"error"`
	Attempts   int             `json:"attempts"`
	ReceivedAt string          `json:"receivedAt"`
	EndedAt    *string         `json:"endedAt"`
	Trigger    origin          `json:"trigger"`
	URL        string          `json:"url"`
}

type origin struct {
	Provider string `json:"provider"`
	Alias    string `json:"alias"`
	Type     string `json:"type"`
}

// event is the body of a webhook. Text is what chats show of it.
type event struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Text      string `json:"text"`
	Data      report `json:"data"`
}

func written(at time.Time) string { return at.UTC().Format(instant) }

// report reads what a notice tells. fault.NotFound when the workflow is gone; an
// execution that is gone is left out.
func (s *Service) report(ctx context.Context, n Notice) (report, error) {
	organizations := []id.ID{n.OrganizationID}
	w, err := s.Workflows.Workflow(ctx, organizations, n.WorkflowID)
	if err != nil {
		return report{}, err
	}
	r := report{WorkflowID: w.ID, WorkflowName: w.Name, Failures: n.Failures, Since: written(n.Since)}
	e, err := s.Executions.Get(ctx, organizations, n.ExecutionID)
	switch {
	case fault.Is(err, fault.NotFound):
		return r, nil
	case err != nil:
		return r, err
	}
	r.Execution = &failed{
		ID: e.ID, Status: e.State, Error: cut(e.Error), Attempts: e.Attempt, ReceivedAt: written(e.ReceivedAt),
		Trigger: origin{e.Origin.ProviderType, e.Origin.ProviderAlias, e.Origin.TriggerType},
		URL:     s.PublicURL() + "/api/executions/" + e.ID.String(),
	}
	if e.CompletedAt != nil {
		at := written(*e.CompletedAt)
		r.Execution.EndedAt = &at
	}
	return r, nil
}

func cut(text string) string {
	runes := []rune(text)
	if len(runes) <= maxError {
		return text
	}
	return string(runes[:maxError]) + "…"
}

// headline says on one line what happened.
func (r report) headline() string {
	name := strings.Join(strings.Fields(r.WorkflowName), " ")
	if r.Failures > 1 {
		return fmt.Sprintf("%s failed %d times since %s", name, r.Failures, r.Since)
	}
	if r.Execution != nil && r.Execution.Status == execution.TimedOut {
		return name + " took too long"
	}
	return name + " failed"
}

// text is the headline with what the last execution said.
func (r report) text() string {
	if r.Execution == nil {
		return r.headline()
	}
	return r.headline() + ": " + r.Execution.Error
}

func (r report) letter(to string) Letter {
	text := r.headline() + ".\n"
	page := "<!doctype html>\n<html><body>\n<p>" + html.EscapeString(r.headline()) + ".</p>\n"
	if e := r.Execution; e != nil {
		at := r.Since
		if e.EndedAt != nil {
			at = *e.EndedAt
		}
		text += fmt.Sprintf("\nThe last execution, %s, ended at %s after %d attempts (%s):\n\n%s\n\n%s\n", e.ID, at, e.Attempts, e.Status, e.Error, e.URL)
		page += fmt.Sprintf("<p>The last execution, <a href=\"%s\">%s</a>, ended at %s after %d attempts (%s):</p>\n<pre>%s</pre>\n",
			html.EscapeString(e.URL), e.ID, at, e.Attempts, e.Status, html.EscapeString(e.Error))
	}
	const why = "You get this because your address is set for failures of this workflow."
	return Letter{To: to, Subject: r.headline(), Text: text + "\n" + why + "\n", HTML: page + "<p>" + why + "</p>\n</body></html>\n"}
}
