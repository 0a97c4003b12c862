package web

import (
	"net/http"
	"net/url"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// LoginPath is where people log in.
const LoginPath = "/auth/login"

// none is the value of AUTH_TYPE where nobody logs in.
const none = "none"

// loginAt returns the address of the login, with what to say there.
func loginAt(next, problem string) string {
	q := url.Values{}
	if next != home {
		q.Set("next", next)
	}
	if problem != "" {
		q.Set("error", problem)
	}
	if len(q) == 0 {
		return LoginPath
	}
	return LoginPath + "?" + q.Encode()
}

// registerLogin registers what leads into a session and out of it: L1 to L9 of
// identity-realtime-admin.md.
func registerLogin(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: LoginPath, Aliases: []string{"/api/auth/login"}, Policy: access.Public(access.LogIn), Page: true,
	}, route.NoObject(), d.logIn)
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: "/auth/callback", Aliases: []string{"/api/auth/callback"}, Policy: access.Public(access.LogIn), Page: true,
	}, route.NoObject(), d.callback)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: "/auth/logout", Aliases: []string{"/api/auth/logout"}, Policy: access.Public(access.LogIn), SameOrigin: true,
	}, route.NoObject(), d.logOut)
}

// logIn shows the form of passwords, or sends the browser to the provider. What
// went wrong before is shown first, so that nobody is sent around in circles.
func (d Deps) logIn(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	query := r.URL.Query()
	next := safeNext(query.Get("next"), d.PublicURL())
	browser, atProvider := d.Way.(identity.Browser)
	switch {
	case d.Passwords != nil:
		return d.showLogin(w, r, http.StatusOK, next, knownProblem(query.Get("error")))
	case !atProvider:
		ui.Redirect(w, r, next)
		return nil
	case query.Has("error"):
		return d.showFailure(w, r, http.StatusOK, next, providerProblem(query.Get("error")))
	}
	return d.begin(w, r, browser, next, query.Get("prompt"))
}

// logOut ends the session, also at its provider.
func (d Deps) logOut(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	to := LoginPath + "?prompt=select_account"
	if d.Way.Name() == none {
		to = home
	}
	atProvider, err := d.Sessions.LogOut(r.Context(), sessionOf(r), d.PublicURL()+to)
	if err != nil {
		return err
	}
	d.drop(w, identity.SessionCookie)
	if onAPI(c) {
		return route.WriteJSON(w, http.StatusOK, loggedOut{Success: true, Redirect: atProvider})
	}
	if atProvider != "" {
		to = atProvider
	}
	ui.Redirect(w, r, to)
	return nil
}

type loggedOut struct {
	Success bool `json:"success"`
	// Redirect is where the browser must go to end the provider's session, too.
	Redirect string `json:"redirect,omitempty"`
}

type loggedIn struct {
	Success  bool   `json:"success"`
	Redirect string `json:"redirect"`
}

// entered answers somebody who has logged in.
func (d Deps) entered(w http.ResponseWriter, r *http.Request, c route.Call[route.None], cookie, next string) error {
	d.setSession(w, cookie)
	w.Header().Set("Cache-Control", "no-store")
	if wantsJSON(r, c) {
		return route.WriteJSON(w, http.StatusOK, loggedIn{Success: true, Redirect: next})
	}
	ui.Redirect(w, r, next)
	return nil
}

// showFailure says that a login at a provider failed, and links to another try.
func (d Deps) showFailure(w http.ResponseWriter, r *http.Request, status int, next, text string) error {
	return ui.Show(w, r, status, ui.Frame{Title: "Not logged in"}, ui.Message(ui.Notice{
		Title: "Not logged in", Text: text, Link: loginAt(next, ""), LinkText: "Try again",
	}))
}
