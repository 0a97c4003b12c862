//go:build external

package apptest_test

import (
	"net/http"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/workostest"
)

// A token of WorkOS names nobody, so that the first one of somebody has WorkOS
// asked.
func TestWorkOSTokensMakeUsers(t *testing.T) {
	t.Parallel()
	people := []workostest.Person{
		{Email: "root@example.com", Password: "root"},
		{Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Password: "countess"},
	}
	e := workostest.Start(t, people...)
	s := apptest.Start(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AuthType, s.WorkOSURL = config.AuthWorkOS, e.URL
		s.WorkOSClientID, s.WorkOSAPIKey = workostest.ClientID, workostest.APIKey
	}})
	var tokens []workostest.Tokens
	for _, p := range people {
		got := e.LogIn(t, p)
		tokens = append(tokens, got)
		namespaces(t, apptest.NewClient(t, s.URL, got.AccessToken))
	}
	ids, organizations := namespaces(t, apptest.NewClient(t, s.URL, tokens[1].AccessToken))
	if len(ids) != 1 || organizations[0] != "Ada Lovelace" {
		t.Errorf("the user has namespaces %v of %v, want one of Ada Lovelace", ids, organizations)
	}
	if r := apptest.NewClient(t, s.URL, tokens[1].AccessToken+"x").Do(t, "GET", "/api/namespaces", nil); r.Status != 401 {
		t.Errorf("a changed token: %s", r)
	}
	// In a browser the emulator logs in the first of its people.
	logInAtProvider(t, s, people[0].Email)
}

// An organization whose people are WorkOS's is kept there as well: invitations,
// members, and where single sign-on is set up.
func TestOrganizationAtWorkOS(t *testing.T) {
	t.Parallel()
	ada := workostest.Person{Email: "ada@example.com", FirstName: "Ada", Password: "countess"}
	grace := workostest.Person{Email: "grace@example.com", FirstName: "Grace", Password: "admiral"}
	e := workostest.Start(t, ada, grace)
	s := apptest.Start(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AuthType, s.WorkOSURL = config.AuthWorkOS, e.URL
		s.WorkOSClientID, s.WorkOSAPIKey = workostest.ClientID, workostest.APIKey
	}})
	owner := apptest.NewClient(t, s.URL, e.LogIn(t, ada).AccessToken)
	path := "/api/organizations/" + owner.Organization(t)

	made := owner.JSON(t, http.StatusOK, "POST", path+"/invitations", map[string]any{"email": grace.Email, "role": "member"})
	var there struct {
		Data []struct {
			ID             string `json:"id"`
			Email          string `json:"email"`
			OrganizationID string `json:"organization_id"`
		} `json:"data"`
	}
	e.Call(t, http.MethodGet, "/user_management/invitations", nil, &there)
	if len(there.Data) != 1 || there.Data[0].Email != grace.Email {
		t.Fatalf("WorkOS has the invitations %+v; here it is %v", there.Data, made)
	}
	e.Call(t, http.MethodPost, "/user_management/invitations/"+there.Data[0].ID+"/accept", nil, nil)
	if got := owner.JSON(t, http.StatusOK, "POST", path+"/sync-users", nil); got["syncedCount"] != 1.0 {
		t.Errorf("synchronizing brings %v", got)
	}
	if ids, _ := namespaces(t, apptest.NewClient(t, s.URL, e.LogIn(t, grace).AccessToken)); len(ids) == 0 {
		t.Error("who came from WorkOS sees no namespace")
	}
	if got := owner.JSON(t, http.StatusOK, "POST", path+"/sso/setup", map[string]any{}); got["admin_portal_link"] == "" || got["has_workos_org"] != true {
		t.Errorf("the link to set up single sign-on is %v", got)
	}
}
