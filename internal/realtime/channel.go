package realtime

import (
	"strings"

	"github.com/usefloww/flowwd/internal/id"
)

// namespace is the only namespace of channels.
const namespace = "workflow:"

// EventsChannel is subscribed to by every published command line and published
// to by nobody: what is there for one tenant would be there for all.
const EventsChannel = namespace + "events"

// Channel returns the name of a workflow's channel.
func Channel(workflow id.ID) string { return namespace + workflow.String() }

// ParseChannel returns the workflow of a channel, and whether the name is one of
// a workflow's channel. It takes the one spelling that Channel makes: two names
// for a workflow would be two channels.
func ParseChannel(name string) (id.ID, bool) {
	text, ok := strings.CutPrefix(name, namespace)
	if !ok {
		return id.ID{}, false
	}
	workflow, err := id.Parse(text)
	return workflow, err == nil && !workflow.IsZero() && workflow.String() == text
}
