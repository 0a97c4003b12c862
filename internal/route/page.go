package route

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
)

// failPage answers a failed request for a page, and reports whether it did.
// Readers who are not logged in are sent to the login. 307 is the status that
// clients of /admin know (5.2 of identity-realtime-admin.md).
func (rt *Router) failPage(w http.ResponseWriter, r *http.Request, q *request, kind fault.Kind, f *fault.Error) bool {
	s := q.match.leaf.entry.spec
	if !s.Page {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	// What administrators post is not led away: programs know the 401.
	leads := reads || posted(r) && !s.Policy.IsAdmin()
	if kind == fault.Unauthenticated && rt.config.LoginPath != "" && leads {
		login, status := rt.config.LoginPath+"?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusTemporaryRedirect
		if !reads {
			// What was posted is lost, and the login leads back by GET.
			status = http.StatusSeeOther
			if path, ok := matchable(r.URL); !ok || rt.tree.find(http.MethodGet, path).leaf == nil {
				login = rt.config.LoginPath
			}
		}
		http.Redirect(w, r, login, status)
		return true
	}
	if s.Policy.IsAdmin() && kind == fault.Denied && !(reads && rt.readsPages(r)) {
		// Existing clients compare this text.
		_ = WriteBody(w, http.StatusForbidden, "text/plain; charset=utf-8", []byte(f.Message))
		return true
	}
	if rt.config.ErrorPage == nil || !reads {
		return false
	}
	text := "Something went wrong on the server; its log has the reason under request id " + q.id
	switch kind {
	case fault.Internal:
	case fault.Limited:
		retryAfter(w, f.RetryAfter, limitedRetry)
		text = f.Message
	case fault.Unavailable:
		retryAfter(w, f.RetryAfter, unavailableRetry)
		text = f.Message
	default:
		text = f.Message
	}
	rt.config.ErrorPage(w, r, statusOf[kind], text)
	return true
}

// readsPages reports whether who asks is a browser that shows pages.
func (rt *Router) readsPages(r *http.Request) bool {
	return rt.config.ErrorPage != nil && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// failUnmatched shows a page to a browser whose address leads nowhere, and
// reports whether it did.
func (rt *Router) failUnmatched(w http.ResponseWriter, r *http.Request, kind fault.Kind) bool {
	if kind != fault.NotFound || r.Method != http.MethodGet || !rt.readsPages(r) {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	rt.config.ErrorPage(w, r, http.StatusNotFound, "There is nothing at this address")
	return true
}

// posted reports whether a request is a form that a browser sent.
func posted(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && kind == "application/x-www-form-urlencoded"
}
