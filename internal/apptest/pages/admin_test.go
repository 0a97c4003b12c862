//go:build external

package pages

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/usefloww/flowwd/internal/apptest"
)

const denied = "Access denied: Admin permissions required"

// An administrator is led by the login to the pages, looks after users and finds
// in the log what was done; somebody else is told that these are none of theirs.
func TestAdministrationPages(t *testing.T) {
	t.Parallel()
	s := withAda(t)
	ada := apptest.NewBrowser(t, s.URL)
	ada.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	ada.Account(t, "bob@example.com", "password of bob")
	for _, login := range []string{"grace.hopper@example.com", "a.person.with.a.rather.long.name@department.of.a.company.example.com"} {
		ada.JSON(t, 201, "POST", "/api/users", map[string]string{"email": login, "firstName": "Somebody", "lastName": "Else"})
	}

	p := newPerson(t)
	p.open(s.URL + "/admin?from=here")
	p.logsIn(apptest.AdminLogin, apptest.AdminPassword)
	p.sees("Administration")
	p.isAt(s.URL + "/admin?from=here")
	p.wants("Runs under way", "Waiting", "Users", "Version")
	p.pictured("admin")

	p.follow("Jobs")
	p.wants("Nothing runs now.")
	p.pictured("jobs")
	p.follow("Data")
	p.pictured("data")
	p.open(s.URL + "/admin/api/user/list")
	p.wants("bob@example.com")
	p.pictured("data-list")
	p.do(chromedp.Click(chromedp.Search(`(//td/a)[1]`)))
	p.do(chromedp.WaitVisible(chromedp.ID("pointing")))
	p.pictured("data-row")
	p.follow("Settings")
	p.wants("AUTH_TYPE")
	p.pictured("settings")
	p.open(s.URL + "/organization")
	p.sees("Default Organization")
	p.pictured("organization")
	p.follow("Access")
	p.wants("May somebody do something")
	p.pictured("access")
	p.follow("Usage")
	p.wants("Runs by day")
	p.pictured("usage")
	p.open(s.URL + "/secrets")
	p.sees("Secrets")
	p.pictured("secrets")
	p.follow("Providers")
	p.pictured("providers")
	ada.JSON(t, 200, "PUT", "/api/kv/default/customers/ann", map[string]any{"value": map[string]string{"name": "Ann"}}, "Origin", s.URL, "Sec-Fetch-Site", "same-origin")
	p.open(s.URL + "/kv")
	p.sees("Key-value store")
	p.pictured("tables")
	p.do(chromedp.Click(chromedp.Search(`//td/a[.="customers"]`)), chromedp.WaitVisible(chromedp.Search(`//td/a[.="ann"]`)))
	p.pictured("table")
	p.do(chromedp.Click(chromedp.Search(`//td/a[.="ann"]`)), chromedp.WaitVisible(chromedp.ID("value")))
	p.pictured("value")
	p.do(chromedp.Focus(chromedp.CSS(".finder input")))
	p.keys("hopper", kb.Enter)
	p.sees("Found for “hopper”")
	p.pictured("search")
	p.open(s.URL + "/admin")

	p.follow("Users")
	p.pictured("users")
	p.do(chromedp.Click(chromedp.CSS(`summary[aria-label="Make administrator: bob@example.com"]`)))
	p.do(chromedp.Click(chromedp.Search(`//details[@open]//button[.="Yes: make administrator"]`)))
	p.told("status")
	p.do(chromedp.Click(chromedp.CSS(`summary[aria-label="Unmake administrator: bob@example.com"]`)))
	p.do(chromedp.Click(chromedp.Search(`//details[@open]//button[.="Yes: unmake administrator"]`)))
	p.told("status")

	p.follow("Audit log")
	p.wants("user.unmake_admin", apptest.AdminLogin)
	p.do(chromedp.Click(chromedp.Search(`(//main//details[@class="entry"]/summary)[1]`)))
	p.wants("Entry", "To what")
	p.pictured("audit")
	p.follow("Realtime")
	p.wants("Connected clients", "Nobody follows a workflow now.")
	p.pictured("realtime")
	p.open(s.URL + "/nowhere")
	p.sees("There is nothing here")
	p.pictured("nowhere")

	bob := newPerson(t)
	bob.open(s.URL + "/admin/users")
	bob.logsIn("bob@example.com", "password of bob")
	bob.sees("You may not do this")
	bob.wants(denied)
	bob.isAt(s.URL + "/admin/users")
	bob.pictured("denied")
}
