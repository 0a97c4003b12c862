package dashboard

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/execution"
)

// maxShown is how much of a payload a page shows, in bytes.
const maxShown = 32 << 10

// shownText is a text that may be too long for a page.
type shownText struct {
	Text string
	// Cut says that there is more of it.
	Cut bool
}

// inputView is the event that a run is for.
type inputView struct {
	// Gone says that it is not kept any more.
	Gone  bool
	Parts []inputPart
	Curl  string
}

// inputPart is a member of an event.
type inputPart struct {
	Name string
	shownText
}

// firstParts are the members that are shown before others.
var firstParts = []string{"input_data", "body", "query", "params", "headers"}

func showInput(server string, e execution.Execution, event execution.Event) inputView {
	if event.ID.IsZero() {
		return inputView{Gone: true}
	}
	var fields map[string]json.RawMessage
	// What is no object has no members.
	_ = json.Unmarshal(event.Fields, &fields)
	v := inputView{Curl: curlOf(server, e, event, fields)}
	if event.HasBody {
		v.Parts = append(v.Parts, inputPart{"body", showBody(event)})
		delete(fields, "body")
	}
	if e.Origin.Path != "" {
		// Both stand at the head of the page.
		delete(fields, "method")
		delete(fields, "path")
	}
	names := slices.SortedFunc(maps.Keys(fields), func(a, b string) int {
		if x, y := rank(a), rank(b); x != y {
			return x - y
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		if empty := strings.TrimSpace(string(fields[name])); empty != "{}" && empty != "null" && empty != `""` {
			v.Parts = append(v.Parts, inputPart{name, showJSON(fields[name])})
		}
	}
	return v
}

func rank(name string) int {
	if i := slices.Index(firstParts, name); i >= 0 {
		return i
	}
	return len(firstParts)
}

// showBody shows a body as its sender meant it.
func showBody(e execution.Event) shownText {
	switch {
	case len(e.Body) == 0:
		return shownText{Text: "(empty)"}
	case e.IsJSON():
		return showJSON(e.Body)
	case utf8.Valid(e.Body):
		return shorten(string(e.Body))
	}
	return shownText{Text: strconv.Itoa(len(e.Body)) + " bytes of " + e.ContentType, Cut: true}
}

// showJSON lays a JSON text out over lines.
func showJSON(text json.RawMessage) shownText {
	if len(text) > maxShown {
		// What is not shown needs no lines.
		return shorten(string(text))
	}
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return shorten(string(text))
	}
	return shorten(b.String())
}

func shorten(text string) shownText {
	if len(text) <= maxShown {
		return shownText{Text: text}
	}
	return shownText{Text: cut(text, maxShown), Cut: true}
}

// withheld are parts of the names of headers that prove who sends something, or
// that belong to one delivery alone.
var withheld = []string{"auth", "cookie", "token", "secret", "signature", "key", "password", "session", "host", "content-length", "accept-encoding", "connection", "forwarded", "real-ip"}

// curlOf is a command that sends an event again, without what proves who sent it.
func curlOf(server string, e execution.Execution, event execution.Event, fields map[string]json.RawMessage) string {
	if e.Origin.Path == "" {
		return "curl -X POST " + quoted(server+"/api/executions/"+e.ID.String()+"/replay") + " \\\n  -H \"Authorization: Bearer $FLOWW_TOKEN\""
	}
	var b strings.Builder
	address := server + e.Origin.Path
	var params map[string]string
	if json.Unmarshal(fields["params"], &params) == nil {
		for _, name := range slices.Sorted(maps.Keys(params)) {
			address = strings.Replace(address, ":"+name, url.PathEscape(params[name]), 1)
		}
	}
	b.WriteString("curl -X " + e.Origin.Method + " " + quoted(address+queryOf(fields["query"])))
	var headers map[string]any
	// Headers that can't be read are left out.
	_ = json.Unmarshal(fields["headers"], &headers)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value, isText := headers[name].(string)
		secret := slices.ContainsFunc(withheld, func(part string) bool { return strings.Contains(strings.ToLower(name), part) })
		if isText && !secret {
			b.WriteString(" \\\n  -H " + quoted(http.CanonicalHeaderKey(name)+": "+value))
		}
	}
	switch {
	case !event.HasBody || len(event.Body) == 0:
	case utf8.Valid(event.Body) && len(event.Body) <= maxShown:
		b.WriteString(" \\\n  --data-raw " + quoted(string(event.Body)))
	default:
		b.WriteString(" \\\n  --data-binary @body")
	}
	return b.String()
}

// queryOf is the part of an address that a query made.
func queryOf(text json.RawMessage) string {
	var query map[string]any
	if json.Unmarshal(text, &query) != nil || len(query) == 0 {
		return ""
	}
	values := url.Values{}
	for name, value := range query {
		switch value := value.(type) {
		case string:
			values.Add(name, value)
		case []any:
			for _, one := range value {
				if text, ok := one.(string); ok {
					values.Add(name, text)
				}
			}
		}
	}
	return "?" + values.Encode()
}
