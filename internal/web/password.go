package web

import (
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// registerPasswords registers the forms of passwords: L4, L5, L7, L10 and L11 of
// identity-realtime-admin.md.
func registerPasswords(r *route.Router, d Deps) {
	page := func(path string, handle func(http.ResponseWriter, *http.Request, route.Call[route.None]) error) {
		route.Raw(r, route.Spec{Method: http.MethodGet, Path: path, Policy: access.Public(access.LogIn), Page: true}, route.NoObject(), handle)
	}
	posted := func(name string, handle func(http.ResponseWriter, *http.Request, route.Call[route.None], ui.Form) error) {
		route.Raw(r, route.Spec{
			Method: http.MethodPost, Path: "/auth/" + name, Aliases: []string{apiMount + name}, Policy: access.Public(access.LogIn),
			SameOrigin: true, Body: true, BodyLimit: ui.MaxForm,
		}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
			if d.Passwords == nil {
				return passwordsOff(c)
			}
			f, err := ui.ReadForm(r, c.Body)
			if err != nil {
				return err
			}
			return handle(w, r, c, f)
		})
	}
	posted("login", d.postLogin)
	page("/auth/setup", d.setUpPage)
	posted("setup", d.postSetUp)
	page("/auth/password", d.choosePage)
	posted("password", d.postChoose)
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: apiMount + "setup", Policy: access.Public(access.LogIn),
	}, route.NoObject(), d.setUpState)
}

func passwordsOff(c route.Call[route.None]) error {
	if onAPI(c) {
		return fault.New(fault.Invalid, "Password login is disabled")
	}
	return fault.New(fault.Invalid, "Password authentication is not enabled")
}

// errWrong is what a refused login says on the page, and knownProblem the only
// text that the page takes from its address.
const errWrong = "Invalid username or password"

func knownProblem(text string) string {
	if text == errWrong {
		return ui.Sentence(text)
	}
	return ""
}

func (d Deps) showLogin(w http.ResponseWriter, r *http.Request, status int, next, problem string) error {
	needed, err := d.Passwords.Needed(r.Context())
	if err != nil {
		return err
	}
	if needed {
		return ui.Show(w, r, status, ui.Frame{Title: "Welcome"}, ui.Message(ui.Notice{
			Title: "Welcome to Floww",
			Text:  "There is no account yet. Open the link that the server printed when it started: it makes the first one.",
		}))
	}
	return ui.Show(w, r, status, ui.Frame{Title: "Log in"}, loginPage(loginView{Next: next, Problem: problem}))
}

func (d Deps) postLogin(w http.ResponseWriter, r *http.Request, c route.Call[route.None], f ui.Form) error {
	next := safeNext(f.Get("nexturl", "next"), d.PublicURL())
	address := route.ClientAddress(r.Context())
	p, err := d.Passwords.Check(r.Context(), f.Get("username", "email"), f.Get("password"), address)
	if err == nil {
		return d.enter(w, r, c, p, next)
	}
	wrong := fault.Is(err, fault.Unauthenticated)
	if wantsJSON(r, c) {
		if wrong && onAPI(c) {
			return fault.New(fault.Unauthenticated, "Invalid email or password")
		}
		return err
	}
	if wrong {
		ui.Redirect(w, r, loginAt(next, errWrong))
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showLogin(w, r, status, next, text)
}

// enter begins a session of somebody whose password was right.
func (d Deps) enter(w http.ResponseWriter, r *http.Request, c route.Call[route.None], p identity.Principal, next string) error {
	cookie, err := d.Sessions.Begin(r.Context(), p, identity.Login{}, visitorOf(r, route.ClientAddress(r.Context())))
	if err != nil {
		return err
	}
	return d.entered(w, r, c, cookie, next)
}

// setUpState tells clients whether there is an account.
func (d Deps) setUpState(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
	state := struct {
		SetupRequired bool   `json:"setupRequired"`
		AuthType      string `json:"authType"`
	}{AuthType: d.Way.Name()}
	if d.Passwords != nil {
		var err error
		if state.SetupRequired, err = d.Passwords.Needed(r.Context()); err != nil {
			return err
		}
	}
	return route.WriteJSON(w, http.StatusOK, state)
}

func (d Deps) setUpPage(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	if d.Passwords == nil {
		return passwordsOff(c)
	}
	token := r.URL.Query().Get("token")
	if err := d.Passwords.CheckSetUp(r.Context(), token); err != nil {
		return err
	}
	return ui.Show(w, r, http.StatusOK, ui.Frame{Title: "First account"}, setUpPage(setUpView{Token: token}))
}

// errDiffer is in the words of L5.
func errDiffer() error { return fault.New(fault.Invalid, "Passwords do not match") }

func (d Deps) postSetUp(w http.ResponseWriter, r *http.Request, c route.Call[route.None], f ui.Form) error {
	view := setUpView{
		Token: token(r, f), Login: f.Get("username", "email"), FirstName: f.Get("firstname"), LastName: f.Get("lastname"),
	}
	p, err := d.setUp(r, view, f)
	if err != nil {
		if needed, broken := d.Passwords.Needed(r.Context()); broken == nil && !needed && onAPI(c) {
			return fault.New(fault.Invalid, "Setup already completed")
		}
		if wantsJSON(r, c) {
			return err
		}
		status, text, err := ui.Problem(w, err)
		switch {
		case err != nil:
			return err
		case status == http.StatusForbidden:
			ui.ErrorPage(w, r, status, text)
			return nil
		}
		view.Problem = text
		return ui.Show(w, r, status, ui.Frame{Title: "First account"}, setUpPage(view))
	}
	next := safeNext(f.Get("nexturl", "next"), d.PublicURL())
	if !onAPI(c) {
		return d.enter(w, r, c, p, next)
	}
	cookie, err := d.Sessions.Begin(r.Context(), p, identity.Login{}, visitorOf(r, route.ClientAddress(r.Context())))
	if err != nil {
		return err
	}
	d.setSession(w, cookie)
	return route.WriteJSON(w, http.StatusCreated, madeFirst{Success: true, Redirect: next, User: madeUser{ID: p.ID.String(), Email: p.User.Email}})
}

type madeFirst struct {
	Success  bool     `json:"success"`
	Redirect string   `json:"redirect"`
	User     madeUser `json:"user"`
}

type madeUser struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

func (d Deps) setUp(r *http.Request, view setUpView, f ui.Form) (identity.Principal, error) {
	if again, given := f["confirmpassword"]; given && again != f.Get("password") {
		// After the token, which says whether there is anything to set up.
		if err := d.Passwords.CheckSetUp(r.Context(), view.Token); err != nil {
			return identity.Principal{}, err
		}
		return identity.Principal{}, errDiffer()
	}
	account := password.Account{Login: view.Login, FirstName: view.FirstName, LastName: view.LastName}
	return d.Passwords.SetUp(r.Context(), view.Token, account, f.Get("password"))
}

// token is that of the link which a form belongs to.
func token(r *http.Request, f ui.Form) string {
	if token := f.Get("token"); token != "" {
		return token
	}
	return r.URL.Query().Get("token")
}

func (d Deps) choosePage(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	if d.Passwords == nil {
		return passwordsOff(c)
	}
	token := r.URL.Query().Get("token")
	u, err := d.Passwords.Chooser(r.Context(), token)
	if err != nil {
		return err
	}
	return ui.Show(w, r, http.StatusOK, ui.Frame{Title: "Choose a password"}, choosePage(chooseView{Token: token, Login: u.Label()}))
}

func (d Deps) postChoose(w http.ResponseWriter, r *http.Request, c route.Call[route.None], f ui.Form) error {
	view := chooseView{Token: token(r, f)}
	u, err := d.Passwords.Chooser(r.Context(), view.Token)
	view.Login = u.Label()
	var p identity.Principal
	if again, given := f["confirmpassword"]; err == nil && given && again != f.Get("password") {
		err = errDiffer()
	}
	if err == nil {
		p, err = d.Passwords.Choose(r.Context(), view.Token, f.Get("password"))
	}
	switch {
	case err == nil:
		return d.enter(w, r, c, p, home)
	case wantsJSON(r, c):
		return err
	}
	status, text, err := ui.Problem(w, err)
	switch {
	case err != nil:
		return err
	case status == http.StatusForbidden:
		ui.ErrorPage(w, r, status, text)
		return nil
	}
	view.Problem = text
	return ui.Show(w, r, status, ui.Frame{Title: "Choose a password"}, choosePage(view))
}
