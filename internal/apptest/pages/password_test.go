//go:build external

package pages

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/usefloww/flowwd/internal/apptest"
)

// The first account, the account page, out and in again: all by keyboard but
// for the buttons.
func TestPasswordPages(t *testing.T) {
	t.Parallel()
	var serverLog apptest.Log
	s := start(t, apptest.Options{Log: &serverLog})
	link := serverLog.SetUpPath(t)
	p := newPerson(t)

	p.open(s.URL + "/account")
	p.sees("Welcome to Floww")
	p.pictured("welcome")

	p.open(s.URL + link)
	p.sees("Make the first account")
	p.keys(apptest.AdminLogin, kb.Tab, "Ada", kb.Tab, "<b>Lovelace</b>", kb.Tab, "long enough", kb.Tab, "something else", kb.Enter)
	p.told("alert")
	if text := p.text(); !strings.Contains(text, "Passwords do not match") {
		t.Errorf("the page says %q", text)
	}
	p.pictured("first-account")
	p.keys(kb.Tab, kb.Tab, kb.Tab, apptest.AdminPassword, kb.Tab, apptest.AdminPassword, kb.Enter)

	p.sees("Workflows")
	p.open(s.URL + "/account")
	p.sees("Your account")
	for _, want := range []string{"Ada <b>Lovelace</b>", apptest.AdminLogin, "this browser"} {
		if text := p.text(); !strings.Contains(text, want) {
			t.Errorf("the account page has no %q: %s", want, text)
		}
	}
	other := apptest.NewBrowser(t, s.URL)
	other.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	p.open(s.URL + "/account")
	p.pictured("account")
	p.click("Sign out everywhere but here")
	p.told("status")
	if r := other.Get(t, "/api/whoami"); r.Status != 401 {
		t.Errorf("the other browser is still logged in: %s", r)
	}

	p.click("Sign out")
	p.sees("Log in")
	p.open(s.URL + "/account?a=b") // leads to the login, which leads back
	p.sees("Log in")
	p.keys(apptest.AdminLogin, kb.Tab, "wrong", kb.Enter)
	p.told("alert")
	p.pictured("log-in")
	p.keys(apptest.AdminLogin, kb.Tab, apptest.AdminPassword, kb.Enter)
	p.sees("Your account")
	if at := get(p, chromedp.Location()); at != s.URL+"/account?a=b" {
		t.Errorf("logged in, and led to %s", at)
	}

	invited := apptest.NewBrowser(t, s.URL)
	invited.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	choose := invited.JSON(t, 201, "POST", "/api/users", map[string]string{"email": "bob@example.com"})["link"].(string)
	p.open(choose)
	p.sees("Choose a password")
	p.pictured("choose")

	p.do(chromedp.Focus(chromedp.ID("password")))
	p.keys("password of bob", kb.Tab, "password of bob", kb.Enter)
	p.sees("Workflows")

	p.open(s.URL + "/auth/setup?token=x")
	p.sees("You may not do this")
	p.pictured("refused")
}
