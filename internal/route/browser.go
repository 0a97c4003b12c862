package route

import (
	"net/http"
	"slices"
	"strings"
)

// apiPrefix is before all addresses that scripts of other sites may call.
const apiPrefix = "/api/"

// What scripts of other sites may send and read.
const (
	corsRequest = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, X-Request-Id"
	corsAnswer  = "Allow, Content-Disposition, ETag, Retry-After, X-Request-Id"
	// corsMaxAge is how long a browser may remember a permission, in seconds.
	corsMaxAge = "600"
)

// harden sets the headers of every answer that tell browsers to be careful.
func (rt *Router) harden(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not no-referrer: it would hide from this server where its own forms come
	// from.
	h.Set("Referrer-Policy", "same-origin")
	if rt.config.HTTPS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if len(rt.config.CORSOrigins) > 0 && strings.HasPrefix(r.URL.Path, apiPrefix) {
		rt.allowOrigin(h, r)
	}
}

// allowOrigin lets scripts of the sites that were named read the answer.
// Cookies stay behind: those sites call with a bearer token.
func (rt *Router) allowOrigin(h http.Header, r *http.Request) {
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(rt.config.CORSOrigins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", corsAnswer)
}

// preflight answers a browser that asks whether a script of another site may
// send a request, and reports whether it was that.
func (rt *Router) preflight(w http.ResponseWriter, r *http.Request, methods []string) bool {
	h := w.Header()
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" || h.Get("Access-Control-Allow-Origin") == "" {
		return false
	}
	h.Add("Vary", "Access-Control-Request-Method")
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", corsRequest)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}
