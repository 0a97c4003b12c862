//go:build external

package pages

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/usefloww/flowwd/internal/apptest"
)

// commandLine waits for somebody to let it in.
type commandLine struct {
	server *apptest.Server
	Device string `json:"device_code"`
	User   string `json:"user_code"`
	Page   string `json:"verification_uri_complete"`
}

const formType = "application/x-www-form-urlencoded"

func beginLogin(t *testing.T, s *apptest.Server, name string) commandLine {
	t.Helper()
	c := commandLine{server: s}
	r := s.Anonymous().Do(t, "POST", "/auth/device/authorize", url.Values{"device_name": {name}}.Encode(), "Content-Type", formType)
	if err := json.Unmarshal(r.Body, &c); err != nil || r.Status != 200 {
		t.Fatalf("begin a login: %s (%v)", r, err)
	}
	return c
}

// gets returns the error or the access token that the command line is given.
func (c commandLine) gets(t *testing.T) (problem, access string) {
	t.Helper()
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {c.Device}}
	r := c.server.Anonymous().Do(t, "POST", "/auth/device/token", form.Encode(), "Content-Type", formType)
	var got struct {
		Error       string
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatalf("poll: %s (%v)", r, err)
	}
	return got.Error, got.AccessToken
}

// A person lets one command line in by its link, and keeps another out whose
// code was typed.
func TestDevicePages(t *testing.T) {
	t.Parallel()
	s := withAda(t)
	p := newPerson(t)
	own, foreign := beginLogin(t, s, "laptop of Ada"), beginLogin(t, s, "somebody else")

	p.open(own.Page)
	p.logsIn(apptest.AdminLogin, apptest.AdminPassword)
	p.sees("Log a command line in?")
	p.isAt(own.Page)
	p.wants(own.User, "laptop of Ada", "127.0.0.1", "as this browser", apptest.AdminLogin)
	p.pictured("device")
	p.click("Approve")
	p.sees("The command line is logged in")
	problem, access := own.gets(t)
	if me := apptest.NewClient(t, s.URL, access).Do(t, "GET", "/api/whoami", nil); problem != "" || me.Status != 200 {
		t.Errorf("approved, and got %q; then %s", problem, me)
	}
	p.pictured("device-approved")

	p.open(s.URL + "/device")
	p.sees("Log a command line in")
	p.keys("2222-2222", kb.Enter)
	p.told("alert")
	p.pictured("device-code")
	p.open(s.URL + "/device")
	p.keys(foreign.User, kb.Enter)
	p.sees("Log a command line in?")
	p.click("Deny")
	p.sees("The command line was denied")
	if problem, access := foreign.gets(t); problem != "access_denied" || access != "" {
		t.Errorf("denied, and got %q", problem)
	}

	p.open(s.URL + "/account")
	p.wants("laptop of Ada")
	p.pictured("account-device")
	p.do(chromedp.Click(chromedp.CSS(`button[aria-label^="Sign out laptop of Ada"]`)))
	p.told("status")
	if me := apptest.NewClient(t, s.URL, access).Do(t, "GET", "/api/whoami", nil); me.Status != 401 {
		t.Errorf("signed out, and still: %s", me)
	}
}

// Whoever has the link of an invitation sees what it offers, and joins.
func TestInvitationPages(t *testing.T) {
	t.Parallel()
	s := withAda(t)
	ada := apptest.NewBrowser(t, s.URL)
	ada.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	ada.Account(t, "bob@example.com", "password of bob")
	own := []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin"}
	made := ada.JSON(t, 200, "POST", "/api/organizations/"+ada.Organization(t)+"/invitations", map[string]any{"email": "bob@example.com", "role": "member"}, own...)

	p := newPerson(t)
	p.open(made["invitation_url"].(string))
	p.logsIn("bob@example.com", "password of bob")
	p.sees("Join Default Organization")
	p.wants(apptest.AdminLogin, "member", "bob@example.com")
	p.pictured("invitation")
	p.click("Accept the invitation")
	p.sees("Your account")
	p.told("status")
	p.wants("You joined the organization.", "Default Organization")
	p.open(made["invitation_url"].(string))
	p.sees("This link does not work")
	p.pictured("invitation-used")
}
