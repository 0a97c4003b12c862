package apptest_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/oidctest"
)

// withOIDC starts a server whose people log in at an OpenID provider.
func withOIDC(t *testing.T) (*apptest.Server, *oidctest.Provider) {
	t.Helper()
	p := oidctest.Start(t)
	return apptest.Start(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AuthType, s.IssuerURL, s.ClientID, s.Secret = config.AuthOIDC, p.URL, oidctest.ClientID, oidctest.ClientSecret
		s.AdminUserIDs = []string{"root"}
	}}), p
}

// bearer is a client with a token of the provider.
func bearer(t *testing.T, s *apptest.Server, p *oidctest.Provider, subject string, changes map[string]any) *apptest.Client {
	t.Helper()
	return apptest.NewClient(t, s.URL, p.Token(t, p.Claims(subject, changes)))
}

// namespaces returns the ids and organizations' names of what a client sees.
func namespaces(t *testing.T, c *apptest.Client) (ids, organizations []string) {
	t.Helper()
	for _, n := range c.JSON(t, http.StatusOK, "GET", "/api/namespaces", nil)["results"].([]any) {
		ids = append(ids, n.(map[string]any)["id"].(string))
		organizations = append(organizations, n.(map[string]any)["organization"].(map[string]any)["displayName"].(string))
	}
	return ids, organizations
}

// The first valid token of somebody makes the user with all that belongs to it,
// once, also when ten come at the same moment.
func TestFirstTokensMakeOneUser(t *testing.T) {
	t.Parallel()
	s, p := withOIDC(t)
	namespaces(t, bearer(t, s, p, "root", nil)) // who gets the default organization
	clients := make([]*apptest.Client, 10)
	for i := range clients {
		clients[i] = bearer(t, s, p, "ada", map[string]any{"email": "ada@example.com", "given_name": "Ada"})
	}
	answers := make([]apptest.Response, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			var err error
			if answers[i], err = c.Try("GET", "/api/namespaces", nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a.Status != http.StatusOK || string(a.Body) != string(answers[0].Body) {
			t.Errorf("one of ten first requests gets %s, another %s", a, answers[0])
		}
	}
	ids, organizations := namespaces(t, clients[0])
	if len(ids) != 1 || organizations[0] != "Ada" {
		t.Errorf("the user has namespaces %v of %v, want one of Ada", ids, organizations)
	}
	// Nobody is found by an e-mail address.
	others, _ := namespaces(t, bearer(t, s, p, "eve", map[string]any{"email": "ada@example.com"}))
	if len(others) != 1 || others[0] == ids[0] {
		t.Errorf("somebody else with the same e-mail sees %v", others)
	}
}

func TestTokensAtTheFrontDoor(t *testing.T) {
	t.Parallel()
	s, p := withOIDC(t)
	for name, c := range map[string]struct {
		changes map[string]any
		status  int
	}{
		"good":             {nil, 200},
		"no profile":       {map[string]any{"email": "\x00\x07", "given_name": 7}, 200},
		"expired":          {map[string]any{"exp": time.Now().Unix() - 90}, 401},
		"of somebody else": {map[string]any{"iss": "https://evil.example"}, 401},
		"for another":      {map[string]any{"aud": "account"}, 401},
		"of nobody":        {map[string]any{"sub": ""}, 401},
	} {
		r := bearer(t, s, p, "ada", c.changes).Do(t, "GET", "/api/namespaces", nil)
		if r.Status != c.status {
			t.Errorf("%s: %s, want %d", name, r, c.status)
		}
	}
	r := apptest.NewClient(t, s.URL, "opaque").Do(t, "GET", "/api/namespaces", nil, "Cookie", "session=x")
	if r.Status != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("an opaque token gets %s", r)
	}
}

// A provider that is down is no reason to throw a login away: 503, not 401.
func TestProviderThatIsDown(t *testing.T) {
	t.Parallel()
	s, p := withOIDC(t)
	p.SetDown(true)
	ada := bearer(t, s, p, "ada", nil)
	r := ada.Do(t, "GET", "/api/namespaces", nil)
	if r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("while the provider is down: %s", r)
	}
	if r := s.Do(t, "GET", "/api/namespaces", nil); r.Status != http.StatusOK {
		t.Errorf("an API key while the provider is down: %s", r)
	}
	p.SetDown(false)
	apptest.Until(t, 10*time.Second, "the token is taken", func() bool {
		return ada.Do(t, "GET", "/api/namespaces", nil).Status == http.StatusOK
	})
	p.SetDown(true)
	if r := bearer(t, s, p, "ada", nil).Do(t, "GET", "/api/namespaces", nil); r.Status != http.StatusOK {
		t.Errorf("while the provider is down, with keys that are known: %s", r)
	}
}

// What a later token says of a person is stored, what an older one says is not.
func TestProfilesFollowTheNewestToken(t *testing.T) {
	t.Parallel()
	s, p := withOIDC(t)
	old := bearer(t, s, p, "ada", map[string]any{"email": "old@example.com", "iat": time.Now().Add(-time.Minute).Unix()})
	namespaces(t, old)
	// A token of the second in which the user was made is not newer.
	namespaces(t, bearer(t, s, p, "ada", map[string]any{"email": "new@example.com", "iat": time.Now().Add(2 * time.Second).Unix()}))
	namespaces(t, old)
	got, err := s.Store(t).PrincipalByIdentity(t.Context(), "oidc", "ada", time.Now())
	if err != nil || got.User.Email != "new@example.com" {
		t.Errorf("the user is %+v, %v", got.User, err)
	}
}
