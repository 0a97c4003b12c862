package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/usefloww/flowwd/internal/client"
)

// printer writes what happens to runs, one line each: the time, the end of the
// run's id, what it is, a text. Safe for concurrent use.
type printer struct {
	mu  sync.Mutex
	out io.Writer
}

// run prints a run as it is now.
func (p *printer) run(run client.Execution) {
	p.received(run)
	for _, line := range run.LogEntries {
		p.log(run.ID, line)
	}
	if run.LogsTruncated {
		p.line(run.LogEntries[len(run.LogEntries)-1].Timestamp, run.ID, "…", "the log goes on; the API shows all of it")
	}
	p.state(run)
}

// received prints where a run begins.
func (p *printer) received(run client.Execution) {
	p.line(run.ReceivedAt, run.ID, "received", origin(run))
}

func (p *printer) log(run string, line client.LogLine) {
	p.line(line.Timestamp, run, line.Level, line.Message)
}

// state prints what a run has come to.
func (p *printer) state(run client.Execution) {
	switch {
	case run.Status == "received" && run.Waiting != nil:
		p.line(run.ReceivedAt, run.ID, "waiting", *run.Waiting)
	case run.Status == "started" && run.StartedAt != nil:
		p.line(*run.StartedAt, run.ID, "started", fmt.Sprintf("attempt %d", run.Attempt))
	case run.Final() && run.CompletedAt != nil:
		p.line(*run.CompletedAt, run.ID, run.Status, outcome(run))
	}
}

// lost says that a run could not be followed to its end.
func (p *printer) lost(run string, err error) {
	p.line(time.Now(), run, "lost", err.Error())
}

// origin says what started a run.
func origin(run client.Execution) string {
	switch {
	case run.WebhookMethod != nil && run.WebhookPath != nil:
		return *run.WebhookMethod + " " + *run.WebhookPath
	case run.TriggerType != nil:
		return *run.TriggerType
	default:
		return ""
	}
}

// outcome says how a run ended.
func outcome(run client.Execution) string {
	var text strings.Builder
	if run.DurationMS != nil {
		fmt.Fprintf(&text, "after %d ms", *run.DurationMS)
	}
	if run.ErrorMessage != nil {
		fmt.Fprintf(&text, "\n%s", *run.ErrorMessage)
	}
	if run.ErrorStack != nil {
		fmt.Fprintf(&text, "\n%s", *run.ErrorStack)
	}
	if len(run.Result) > 0 && string(run.Result) != "null" {
		fmt.Fprintf(&text, " → %s", run.Result)
	}
	return strings.TrimSpace(text.String())
}

// shownID is how much of a run's id is shown: its random end, which differs
// between runs of the same moment.
const shownID = 8

// line prints one thing. What follows the first line of a text is indented.
func (p *printer) line(at time.Time, run, what, text string) {
	const indent = "\n                                   "
	text = strings.ReplaceAll(harmless(strings.TrimRight(text, "\n")), "\n", indent)
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%s  %s  %-9s  %s\n", at.Local().Format("15:04:05.000"), run[max(0, len(run)-shownID):], what, text)
}

// harmless writes control characters as what they are: the text comes from user
// code, and a terminal would obey it.
func harmless(text string) string {
	var clean strings.Builder
	for _, r := range text {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) {
			clean.WriteRune(r)
			continue
		}
		fmt.Fprintf(&clean, "\\u%04x", r)
	}
	return clean.String()
}
