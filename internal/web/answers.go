package web

import (
	"net/http"
	"strings"

	"github.com/usefloww/flowwd/internal/route"
)

// apiMount is before the paths whose answers are JSON.
const apiMount = "/api/auth/"

// wantsJSON reports whether a program asks, and not a browser with a form.
func wantsJSON(r *http.Request, c route.Call[route.None]) bool {
	return onAPI(c) || strings.Contains(r.Header.Get("Accept"), "application/json")
}

func onAPI(c route.Call[route.None]) bool { return strings.HasPrefix(c.Pattern, apiMount) }
