package route

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Table renders routes as text, one a line: method, path, policy, the object
// that is loaded, and the body limit. It is made to be compared with a file.
func Table(routes []Info) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 1, 2, ' ', 0)
	for _, r := range routes {
		object, body := "-", "-"
		if r.Object != "" {
			object = r.Object
		}
		switch {
		case r.Stream:
			body = "stream"
		case r.BodyLimit > 0:
			body = fmt.Sprintf("%d", r.BodyLimit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Method, r.Path, r.Policy, object, body)
	}
	_ = w.Flush()
	return b.String()
}
