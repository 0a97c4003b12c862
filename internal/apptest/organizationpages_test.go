package apptest_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// People manage their organization by its pages: what is shown once is, what others
// own is not there, and who may only look is refused.
func TestOrganizationPages(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	ada := loggedIn(t, s)
	bob := ada.Account(t, "bob@example.com", "correct horse staple")
	mine := ada.Organization(t)
	page := func(b *apptest.Browser, path string, status int, has ...string) string {
		t.Helper()
		r := b.Get(t, path, "Accept", "text/html")
		if r.Status != status {
			t.Errorf("GET %s: %d, want %d: %.1000s", path, r.Status, status, r.Body)
		}
		for _, want := range has {
			if !strings.Contains(string(r.Body), want) {
				t.Errorf("GET %s has no %q: %s", path, want, r.Body)
			}
		}
		return string(r.Body)
	}
	post := func(b *apptest.Browser, path string, form url.Values, status int, has ...string) string {
		t.Helper()
		r := b.Do(t, "POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", s.URL, "Sec-Fetch-Site", "same-origin", "Accept", "text/html")
		if r.Status != status {
			t.Errorf("POST %s: %d, want %d: %.1000s", path, r.Status, status, r.Body)
		}
		for _, want := range has {
			if !strings.Contains(string(r.Body), want) {
				t.Errorf("POST %s has no %q: %s", path, want, r.Body)
			}
		}
		return string(r.Body)
	}
	own := "/organization/" + mine
	page(ada, "/organization", 200, "Default Organization", apptest.AdminLogin, "you")

	// An invitation, by whose link bob joins.
	invited := post(ada, own+"/invitations", url.Values{"email": {"bob@example.com"}, "role": {"viewer"}}, 200, "shown this once")
	link := html.UnescapeString(regexp.MustCompile(`<code id="link">([^<]*)</code>`).FindStringSubmatch(invited)[1])
	post(ada, own+"/invitations", url.Values{"email": {"no mail"}, "role": {"viewer"}}, 400)
	post(ada, own+"/invitations", url.Values{"email": {"eve@example.com"}, "role": {"king"}}, 400, "The role must be")
	if refused := post(ada, own+"/accounts", url.Values{"name": {"ci"}, "role": {"king"}}, 400, "The role must be"); strings.Contains(refused, `class="done"`) {
		t.Errorf("what was refused is said to be done: %s", refused)
	}
	if strings.Contains(page(ada, "/organization", 200, "bob@example.com"), link) {
		t.Error("the link is shown again")
	}
	token := link[strings.LastIndexAny(link, "=/")+1:]
	bob.JSON(t, 200, "POST", "/api/invitations/accept", map[string]string{"token": token}, "Origin", s.URL, "Sec-Fetch-Site", "same-origin")

	// A key, shown once, that works until it is revoked.
	post(ada, own+"/accounts", url.Values{"name": {`<b>"ci`}, "role": {"member"}}, 302)
	accounts := page(ada, "/organization?organization="+mine, 200, "&lt;b&gt;&#34;ci")
	keys := regexp.MustCompile(`/organization/accounts/[0-9a-f-]+/keys`).FindString(accounts)
	made := post(ada, keys, url.Values{"name": {"laptop"}}, 200, "shown this once")
	key := regexp.MustCompile(`<code id="key">([^<]*)</code>`).FindStringSubmatch(made)[1]
	program := apptest.NewClient(t, s.URL, key)
	if r := program.Do(t, "GET", "/api/whoami", nil); r.Status != 200 {
		t.Errorf("the key does not work: %s", r)
	}
	again := page(ada, "/organization", 200, "laptop")
	if strings.Contains(again, key) {
		t.Error("the key is shown again")
	}
	revoke := regexp.MustCompile(keys + `/[0-9a-f-]+/revoke`).FindString(again)

	// A secret, whose value nobody sees.
	namespaces := page(ada, "/secrets", 200, "Store a secret")
	of := regexp.MustCompile(`/secrets/of/[0-9a-f-]+`).FindString(namespaces)
	post(ada, of, url.Values{"name": {"<i>token"}, "provider": {"github"}, "value": {"value of the secret"}}, 302)
	post(ada, of, url.Values{"name": {""}, "value": {"value of the secret"}}, 400, "must have 1 to")
	secrets := page(ada, "/secrets", 200, "&lt;i&gt;token", "github")
	if strings.Contains(secrets, "value of the secret") {
		t.Error("the value is shown")
	}
	remove := regexp.MustCompile(`/secrets/[0-9a-f-]+/delete`).FindString(secrets)

	// Bob looks, and changes nothing; in his own organization he is the owner.
	seen := page(bob, "/organization?organization="+mine, 200, "You are viewer here")
	if strings.Contains(seen, "laptop") || strings.Contains(seen, "Invite") {
		t.Errorf("a viewer sees keys or forms: %s", seen)
	}
	page(bob, "/secrets?organization="+mine, 200, "&lt;i&gt;token")
	for _, path := range []string{own + "/invitations", own + "/accounts", keys, revoke, of, remove, own + "/members/" + ada.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string) + "/remove"} {
		post(bob, path, url.Values{"role": {"owner"}, "name": {"x"}, "email": {"x@example.com"}, "value": {"x"}}, 403)
	}
	// To somebody who is no member nothing of it is there.
	carol := ada.Account(t, "carol@example.com", "correct horse staple")
	for _, path := range []string{"/organization?organization=" + mine, "/secrets?organization=" + mine, "/organization?organization=x", "/secrets?organization=x"} {
		page(carol, path, 404)
	}
	for _, path := range []string{own + "/invitations", keys, revoke, of, remove} {
		post(carol, path, url.Values{"name": {"x"}, "value": {"x"}}, 404)
	}

	post(ada, revoke, nil, 302)
	if r := program.Do(t, "GET", "/api/whoami", nil); r.Status != 401 {
		t.Errorf("the key works still: %s", r)
	}
	post(ada, remove, nil, 302)
	person := "/members/" + bob.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
	post(ada, own+person+"/role", url.Values{"role": {"admin"}}, 302)
	page(bob, "/organization?organization="+mine, 200, "You are admin here", "laptop")
	post(bob, own+person+"/role", url.Values{"role": {"owner"}}, 403)
	post(ada, own+person+"/remove", nil, 302)
	page(bob, "/organization?organization="+mine, 404)
}
