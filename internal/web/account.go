package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const accountPath = ui.Account

// registerAccount registers what people see and change of themselves.
func registerAccount(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: accountPath, Policy: access.Self(access.ReadWhoami), Page: true,
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
		return d.showAccount(w, r, c.Principal, http.StatusOK, accountView{Done: doneText(r.URL.Query())})
	})
	posted := func(path string, handle func(http.ResponseWriter, *http.Request, route.Call[route.None]) error) {
		route.Raw(r, route.Spec{
			Method: http.MethodPost, Path: path, Policy: access.Self(access.WriteSelf), Page: true, Body: true, BodyLimit: ui.MaxForm,
		}, route.NoObject(), handle)
	}
	posted(accountPath+"/password", d.postPassword)
	posted(accountPath+"/sessions/{id}/end", d.postEndSession)
	posted(accountPath+"/sessions/end", d.postEndSessions)
	posted(accountPath+"/devices/{id}/end", d.postEndDevice)
}

// accountView is what the page shows.
type accountView struct {
	ID, Name, Login, Email, Provider string
	Admin                            bool
	Organizations                    []organizationView
	// HasPassword says that there is one to change.
	HasPassword bool
	Sessions    []sessionView
	Others      bool
	Devices     []deviceRowView
	// Problem is what was wrong with a change of the password, Done what was done.
	Problem, Done string
}

type organizationView struct{ Name, Role string }

type sessionView struct {
	ID, Browser, Address string
	Since, Seen          time.Time
	Here                 bool
}

type deviceRowView struct {
	ID, Name, Address string
	Since, Seen       time.Time
}

func (d Deps) showAccount(w http.ResponseWriter, r *http.Request, p identity.Principal, status int, v accountView) error {
	v.ID, v.Name, v.Login, v.Email, v.Provider = p.ID.String(), strings.TrimSpace(p.User.FirstName+" "+p.User.LastName), p.User.Login, p.User.Email, d.Way.Name()
	v.Admin, v.HasPassword = p.Admin, d.Passwords != nil && p.User.Provider == password.Name
	organizations, err := d.Tenants.Organizations(r.Context(), p.Organizations())
	if err != nil {
		return err
	}
	for _, o := range organizations {
		v.Organizations = append(v.Organizations, organizationView{o.DisplayName, p.RoleIn(o.ID).String()})
	}
	sessions, err := d.Sessions.List(r.Context(), p.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		v.Sessions = append(v.Sessions, sessionView{
			ID: s.ID.String(), Browser: browserName(s.UserAgent), Address: s.Address, Since: s.CreatedAt, Seen: s.SeenAt, Here: s.ID == p.SessionID,
		})
		v.Others = v.Others || s.ID != p.SessionID
	}
	devices, err := d.Devices.List(r.Context(), p)
	if err != nil {
		return err
	}
	for _, x := range devices {
		v.Devices = append(v.Devices, deviceRowView{
			ID: x.ID.String(), Name: cmp.Or(x.Name, "Command line"), Address: x.Address, Since: x.CreatedAt, Seen: x.SeenAt,
		})
	}
	f := d.Frame("Account", p)
	f.Here = ui.Account
	return ui.Show(w, r, status, f, accountPage(v))
}

// Frame is the one of a page for somebody who is known.
func (d Deps) Frame(title string, p identity.Principal) ui.Frame {
	f := ui.Frame{Title: title, Reader: p.User.Label(), Session: !p.SessionID.IsZero(), Admin: p.Admin}
	if f.Session {
		_, f.Leaves = d.Way.(identity.Browser)
	}
	return f
}

func (d Deps) postPassword(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	switch again, given := f["confirmpassword"]; {
	case d.Passwords == nil:
		err = passwordsOff(c)
	case given && again != f.Get("newpassword"):
		err = errDiffer()
	default:
		err = d.Passwords.Change(r.Context(), c.Principal, f.Get("password", "currentpassword"), f.Get("newpassword"), route.ClientAddress(r.Context()))
	}
	if wantsJSON(r, c) {
		if err != nil {
			return err
		}
		return route.WriteJSON(w, http.StatusOK, loggedOut{Success: true})
	}
	if err == nil {
		return d.did(w, r, "password", 0)
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showAccount(w, r, c.Principal, status, accountView{Problem: text})
}

func (d Deps) postEndSession(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	session, err := id.Parse(c.Param("id"))
	if err != nil {
		return fault.New(fault.NotFound, "Session not found")
	}
	if err := d.Sessions.End(r.Context(), c.Principal.ID, session); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return d.did(w, r, "session", 1)
}

func (d Deps) postEndSessions(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	n, err := d.Sessions.EndOthers(r.Context(), c.Principal.ID, c.Principal.SessionID)
	if err != nil {
		return err
	}
	return d.did(w, r, "session", n)
}

// did leads back to the page, which then says what was done.
func (d Deps) did(w http.ResponseWriter, r *http.Request, what string, n int) error {
	ui.Redirect(w, r, accountPath+"?"+url.Values{"done": {what}, "n": {strconv.Itoa(n)}}.Encode())
	return nil
}

func doneText(query url.Values) string {
	n, err := strconv.Atoi(query.Get("n"))
	switch what := query.Get("done"); {
	case what == "password":
		return "The password is changed; all other browsers and command lines are signed out."
	case what == "device":
		return "The command line is signed out."
	case what == "joined":
		return "You joined the organization."
	case what != "session" || err != nil || n < 0:
		return ""
	case n == 1:
		return "One browser is signed out."
	default:
		return strconv.Itoa(n) + " browsers are signed out."
	}
}

// browserName shortens what a browser says of itself.
func browserName(userAgent string) string {
	system := ""
	for _, s := range []struct{ word, name string }{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	} {
		if strings.Contains(userAgent, s.word) {
			system = " on " + s.name
			break
		}
	}
	for _, b := range []struct{ word, name string }{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	} {
		if strings.Contains(userAgent, b.word) {
			return b.name + system
		}
	}
	if userAgent == "" {
		return "Unknown browser"
	}
	return string([]rune(userAgent)[:min(60, len([]rune(userAgent)))])
}
