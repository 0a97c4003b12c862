package dashboard

import (
	"regexp"
	"strings"

	"github.com/usefloww/flowwd/examples"
	"github.com/usefloww/flowwd/internal/workflow"
)

// callView is how a webhook is called.
type callView struct{ Method, URL, Curl string }

func (d Deps) callView(h workflow.Webhook) callView {
	v := callView{Method: h.Method, URL: d.PublicURL() + h.Path}
	v.Curl = "curl " + quoted(v.URL)
	switch h.Method {
	case "GET":
	case "DELETE":
		v.Curl = "curl -X DELETE " + quoted(v.URL)
	default:
		v.Curl = "curl -X " + h.Method + " " + quoted(v.URL) + " -H 'Content-Type: application/json' -d '" + bodyFor(h) + "'"
	}
	return v
}

// bodyFor is something to send. The example greets whom it is told.
func bodyFor(h workflow.Webhook) string {
	if strings.HasSuffix(h.Path, "/"+examples.HelloPath) {
		return `{"name": "Ada"}`
	}
	return "{}"
}

// plain is what a shell takes as it stands.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// quoted is a word of a shell's command.
func quoted(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
