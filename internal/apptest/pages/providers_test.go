//go:build external

package pages

import (
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/oidctest"
	"github.com/usefloww/flowwd/internal/workostest"
)

// From /admin by WorkOS and back: to the refusal at first, and to the page as
// soon as an administrator makes one of the person.
func TestWorkOSPages(t *testing.T) {
	t.Parallel()
	// In a browser the emulator logs in the first of its people.
	ada := workostest.Person{Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Password: "countess"}
	root := workostest.Person{Email: "root@example.com", Password: "root"}
	e := workostest.Start(t, ada, root)
	admin := e.LogIn(t, root)
	s := start(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AuthType, s.WorkOSURL = config.AuthWorkOS, e.URL
		s.WorkOSClientID, s.WorkOSAPIKey = workostest.ClientID, workostest.APIKey
		s.AdminUserIDs = []string{admin.User.ID}
	}})
	administrator := apptest.NewClient(t, s.URL, admin.AccessToken)
	administrator.JSON(t, 200, "GET", "/api/whoami", nil)

	p := newPerson(t)
	p.open(s.URL + "/admin?a=b")
	p.sees("You may not do this")
	p.isAt(s.URL + "/admin?a=b")
	p.wants(denied)
	me := apptest.NewClient(t, s.URL, e.LogIn(t, ada).AccessToken).JSON(t, 200, "GET", "/api/whoami", nil)
	administrator.JSON(t, 200, "PATCH", "/api/admin/users/"+me["id"].(string), map[string]any{"isAdmin": true})
	p.open(s.URL + "/admin?a=b")
	p.sees("Administration")
	p.open(s.URL + "/account")
	p.wants("Ada Lovelace", "ada@example.com", "this browser")
}

// The same by an OpenID provider, and what is shown when it lets nobody in.
func TestOIDCPages(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	s := start(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AuthType, s.IssuerURL, s.ClientID, s.Secret = config.AuthOIDC, provider.URL, oidctest.ClientID, oidctest.ClientSecret
		s.AdminUserIDs = []string{"root"}
	}})
	provider.ReturnTo(s.URL + "/auth/callback")
	provider.ReturnTo(s.URL + "/auth/login?prompt=select_account")
	provider.LogIn(oidctest.Person{Subject: "root", Email: "root@example.com", GivenName: "Rooty"})

	p := newPerson(t)
	p.open(s.URL + "/admin")
	p.sees("Administration")
	p.isAt(s.URL + "/admin")
	provider.LogIn(oidctest.Person{Subject: "eve", Email: "eve@example.com"})
	p.click("Sign out") // at the provider too, and in again as whom it knows then
	p.sees("Workflows")
	p.open(s.URL + "/account")
	p.wants("eve@example.com")
	p.open(s.URL + "/admin")
	p.sees("You may not do this")

	own := beginLogin(t, s, "laptop")
	p.open(own.Page)
	p.click("Approve")
	p.sees("The command line is logged in")
	if problem, access := own.gets(t); problem != "" || access == "" {
		t.Errorf("approved, and got %q", problem)
	}

	other := newPerson(t)
	other.open(s.URL + "/auth/callback?error=access_denied&state=x")
	other.sees("Not logged in")
	other.pictured("not-logged-in")
}

// Where nobody logs in, everything is open to whoever sits at the machine.
func TestOpenPages(t *testing.T) {
	t.Parallel()
	s := start(t, apptest.Options{Settings: func(s *config.Settings) { s.AuthType = config.AuthNone }})
	p := newPerson(t)
	p.open(s.URL + "/auth/login?next=/admin")
	p.sees("Administration")
	p.isAt(s.URL + "/admin")
	p.open(s.URL + "/account")
	p.sees("Your account")
	p.wants("owner")
	p.pictured("account-none")
	own := beginLogin(t, s, "laptop")
	p.open(own.Page)
	p.click("Approve")
	p.sees("The command line is logged in")
	if problem, access := own.gets(t); problem != "" || access == "" {
		t.Errorf("approved, and got %q", problem)
	}
}
