//go:build external

package apptest_test

import (
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
