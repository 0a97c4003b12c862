package ui

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/usefloww/flowwd/internal/route"
)

// Frame is what is around a page.
type Frame struct {
	Title string
	// Reader names who reads the page; empty for nobody that is known.
	Reader string
	// Session says that the reader can sign out, Admin that there are pages for
	// administrators to go to.
	Session, Admin bool
	// Sought is what was looked for.
	Sought string
	// Here is the section that the page belongs to, Above the pages above it, the
	// nearest last.
	Here  string
	Above []Link
	// Leaves says that a form of the page may lead to a provider's site, which
	// browsers otherwise stop.
	Leaves bool
	// Scripts are the assets that the page runs beside those of every page for
	// somebody who is known, in this order; Connects the sites beside this one that
	// they connect to.
	Scripts, Connects []string
}

// scripts are the assets that the page runs. A page for nobody, such as the login,
// runs none.
func (f Frame) scripts() []string {
	if f.Reader == "" {
		return f.Scripts
	}
	return append([]string{common}, f.Scripts...)
}

// live reports whether the page follows what happens, and so says whether it can.
func (f Frame) live() bool { return slices.Contains(f.Scripts, Live) }

// policy is what a page may do: show itself and its assets, and send its forms
// to this server.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// Show answers with a page. Nothing is written when it can't be rendered.
func Show(w http.ResponseWriter, r *http.Request, status int, f Frame, body templ.Component) error {
	var page bytes.Buffer
	ctx := templ.WithChildren(r.Context(), body)
	if err := layout(f).Render(ctx, &page); err != nil {
		return fmt.Errorf("render a page: %w", err)
	}
	allowed := policy
	if f.Leaves {
		allowed += " https: http:"
	}
	if len(f.scripts()) > 0 {
		allowed = strings.Replace(allowed, ";", "; script-src 'self'; connect-src "+strings.Join(append([]string{"'self'"}, f.Connects...), " ")+";", 1)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", allowed)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	return route.WriteBody(w, status, "text/html; charset=utf-8", page.Bytes())
}

// ErrorPage answers a failed request for a page; it is a route.Config.ErrorPage.
func ErrorPage(w http.ResponseWriter, r *http.Request, status int, text string) {
	title := http.StatusText(status)
	switch status {
	case http.StatusForbidden:
		title = "You may not do this"
	case http.StatusNotFound:
		title = "There is nothing here"
	case http.StatusTooManyRequests:
		title = "Too many requests"
	case http.StatusInternalServerError:
		title = "Something went wrong"
	case http.StatusServiceUnavailable:
		title = "Not available now"
	}
	// An answer that can't be written has nobody left to be told.
	_ = Show(w, r, status, Frame{Title: title}, Message(Notice{Title: title, Text: Sentence(text), Link: "/", LinkText: "Go to the first page"}))
}

// Sentence ends a text with a full stop.
func Sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// Redirect sends the browser to another page, which must be one of this server or
// one that a provider named. It goes there by GET.
func Redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusFound)
}
