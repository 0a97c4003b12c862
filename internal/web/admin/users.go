package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const adminUsersPath = adminPath + "/users"

// usersView is a page of users with what it was asked for.
type usersView struct {
	Search         string
	Page, Total    int
	Users          []userView
	Earlier, Later string
	Problem, Done  string
}

type userView struct {
	ID, Label, Name, Identity       string
	Admin, Named, Disabled, Oneself bool
	Made                            time.Time
	Seen                            *time.Time
}

// userActions are what an administrator does about a user: what it changes, and
// what is said when it is done.
var userActions = map[string]struct {
	change      identity.UserChange
	about, done string
}{
	"disable":  {identity.UserChange{Disabled: flag(true)}, "Nobody logs in to the account any more, and its sessions, command lines and streams end now.", "The account is disabled, and signed out everywhere."},
	"enable":   {identity.UserChange{Disabled: flag(false)}, "The person can log in again.", "The account is enabled."},
	"make":     {identity.UserChange{Admin: flag(true)}, "The person may do all that is done here: see the rows of every organization, disable others, make administrators.", "The person is an administrator."},
	"unmake":   {identity.UserChange{Admin: flag(false)}, "These pages are refused from the next request on.", "The person is no administrator any more."},
	"sign-out": {identity.UserChange{}, "Browsers and command lines have to log in again.", "The person is signed out everywhere."},
}

func flag(on bool) *bool { return &on }

func (d Deps) getAdminUsers(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	query := r.URL.Query()
	return d.showUsers(w, r, c.Principal, http.StatusOK, usersView{
		Search: query.Get("search"), Page: pageNumber(query.Get("page")), Done: userActions[query.Get("done")].done,
	})
}

func (d Deps) showUsers(w http.ResponseWriter, r *http.Request, by identity.Principal, status int, v usersView) error {
	const size = identity.DefaultUsersPage
	page, err := d.Administration.Users(r.Context(), identity.UserFilter{Search: v.Search, Limit: size, Offset: (v.Page - 1) * size})
	if err != nil {
		return err
	}
	v.Total = page.Total
	for _, u := range page.Users {
		named := d.Administration.IsApproved(u)
		v.Users = append(v.Users, userView{
			ID: u.ID.String(), Label: u.Label(), Name: strings.TrimSpace(u.FirstName + " " + u.LastName), Identity: identityText(u),
			Admin: u.Admin || named, Named: named, Disabled: u.DisabledAt != nil, Oneself: u.ID == by.ID, Made: u.CreatedAt, Seen: u.SeenAt,
		})
	}
	if v.Page > 1 {
		v.Earlier = usersAddress(v.Search, v.Page-1, "")
	}
	if v.Page*size < page.Total {
		v.Later = usersAddress(v.Search, v.Page+1, "")
	}
	return ui.Show(w, r, status, d.frame("Users", by), usersPage(v))
}

func (d Deps) postAdminUser(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	user, err := id.Parse(c.Param("id"))
	action, known := userActions[c.Param("action")]
	if err != nil || !known {
		return fault.New(fault.NotFound, "There is no such user, or nothing of this kind to do")
	}
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	if c.Param("action") == "sign-out" {
		_, err = d.Administration.SignOut(r.Context(), user)
	} else {
		_, err = d.Administration.Change(r.Context(), c.Principal, user, action.change)
	}
	if err == nil {
		ui.Redirect(w, r, usersAddress(f.Get("search"), pageNumber(f.Get("page")), c.Param("action")))
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showUsers(w, r, c.Principal, status, usersView{Search: f.Get("search"), Page: pageNumber(f.Get("page")), Problem: text})
}

// maxPage bounds what is paged through; a search finds the rest.
const maxPage = 100_000

func pageNumber(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return min(max(n, 1), maxPage)
}

// identityText says who vouches for a user and under which name. Where this
// server does, the name is the id.
func identityText(u identity.User) string {
	if u.Subject == u.ID.String() {
		return u.Provider
	}
	return u.Provider + ": " + u.Subject
}

// usersAddress is a page of users, with what was done on it.
func usersAddress(search string, page int, done string) string {
	query := url.Values{}
	if search != "" {
		query.Set("search", search)
	}
	if page > 1 {
		query.Set("page", strconv.Itoa(page))
	}
	if done != "" {
		query.Set("done", done)
	}
	if len(query) == 0 {
		return adminUsersPath
	}
	return adminUsersPath + "?" + query.Encode()
}
