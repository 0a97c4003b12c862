package apptest_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// own is somebody in front of the pages of an organization.
type own struct {
	*apptest.Browser
	url string
}

// page opens a page and holds what is on it.
func (b own) page(t *testing.T, path string, status int, has ...string) string {
	t.Helper()
	r := b.Get(t, path, "Accept", "text/html")
	if r.Status != status {
		t.Errorf("GET %s: %d, want %d: %.1500s", path, r.Status, status, r.Body)
	}
	hasAndLacks(t, path, string(r.Body), has, []string{"<script>alert", "<i>x"})
	return string(r.Body)
}

// post sends a form.
func (b own) post(t *testing.T, path string, form url.Values, status int, has ...string) apptest.Response {
	t.Helper()
	r := b.Do(t, "POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", b.url, "Sec-Fetch-Site", "same-origin", "Accept", "text/html")
	if r.Status != status {
		t.Errorf("POST %s: %d, want %d: %.1500s", path, r.Status, status, r.Body)
	}
	hasAndLacks(t, path, string(r.Body), has, []string{"<script>alert", "<i>x"})
	return r
}

// ask sends a request of a page's script or of the command line.
func (b own) ask(t *testing.T, status int, method, path string, body any) map[string]any {
	t.Helper()
	return b.JSON(t, status, method, path, body, "Origin", b.url, "Sec-Fetch-Site", "same-origin")
}

// People find by one field what they may see, by whatever is written into it, and
// nothing that is another tenant's.
func TestSearchPage(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	ada := own{loggedIn(t, s), s.URL}
	d := s.Deploy(t, `<i>x & "needle"</i>`, apptest.Handler(`return 1`))
	run := d.Run(t, `{}`).ID
	makeFolder(t, s.Client, "Needles", "")
	storeSecret(t, s.Client, "needlework", "token", "value")
	other := s.OtherTenant(t)
	foreign := other.Deploy(t, "needle of others", apptest.Handler(`return 1`))

	found := ada.page(t, "/search?q=NEEDLE", 200, "&lt;i&gt;x", "/workflows/"+d.WorkflowID, "Needles", "needlework", "token")
	if strings.Contains(found, "needle of others") || strings.Contains(found, foreign.WorkflowID) {
		t.Errorf("the search finds what is another tenant's: %s", found)
	}
	ada.page(t, "/search?q="+run, 200, "/executions/"+run, "completed")
	ada.page(t, "/search?q="+d.WorkflowID, 200, "/workflows/"+d.WorkflowID)
	ada.page(t, "/search?q="+url.QueryEscape(strings.ToUpper(apptest.AdminLogin[:5])), 200, "People", apptest.AdminLogin)
	nothing := []string{"Nothing that you may see"}
	ada.page(t, "/search?q="+foreign.WorkflowID, 200, nothing...)
	ada.page(t, "/search?q="+foreign.Run(t, `{}`).ID, 200, nothing...)
	for _, hostile := range []string{`%`, `_%`, `'";--`, `"><img src=x>`, "\x00", "\xff", `\`} {
		ada.page(t, "/search?q="+url.QueryEscape(hostile+"nothing"), 200, nothing...)
	}
	ada.page(t, "/search?q="+strings.Repeat("x", 1001), 400)
	ada.page(t, "/search", 200, "Write into the field")

	// Somebody who is in no organization of these finds nothing of them.
	eve := own{ada.Account(t, "eve@example.com", "correct horse staple"), s.URL}
	for _, q := range []string{"needle", run, d.WorkflowID, apptest.AdminLogin} {
		if found := eve.page(t, "/search?q="+url.QueryEscape(q), 200); strings.Contains(found, "/workflows/"+d.WorkflowID) || strings.Contains(found, "needlework") || strings.Contains(found, "/executions/"+run) || !strings.Contains(found, nothing[0]) {
			t.Errorf("a search for %q finds what is not hers: %s", q, found)
		}
	}
	if r := apptest.NewBrowser(t, s.URL).Get(t, "/search?q=needle", "Accept", "text/html"); r.Status != 307 {
		t.Errorf("a search without a login: %s", r)
	}
}

// The browser of the key-value store shows tables, keys and values, and changes
// what its reader may change; two who change one value at once are told.
func TestKeyValuePages(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	ada := own{loggedIn(t, s), s.URL}
	ada.page(t, "/kv", 200, "There is no table yet")
	path := regexp.MustCompile(`/kv/[0-9a-f-]+`).FindString(ada.page(t, "/kv", 200))
	hostile := `{"a":"<script>alert(1)</script>"}`
	form := func(change map[string]string) url.Values {
		all := url.Values{"store": {"default"}, "table": {"customers"}, "key": {"ann"}, "value": {hostile}, "version": {"0"}}
		for name, value := range change {
			all.Set(name, value)
		}
		return all
	}
	stored := ada.post(t, path, form(nil), 302).Location(t)
	ada.page(t, stored, 200, "The value is stored", "version 1", "&lt;script&gt;alert(1)")
	ada.post(t, path, form(nil), 409, "which is not the one that was expected", "&lt;script&gt;alert(1)")
	ada.post(t, path, form(map[string]string{"value": `{"a":`, "version": "1"}), 400, "no JSON", "{&#34;a&#34;:")
	ada.post(t, path, form(map[string]string{"key": `"><i>x`}), 400, "alphanumeric")
	ada.post(t, path, form(map[string]string{"version": "x"}), 400, "must be a number")
	ada.post(t, path, form(map[string]string{"value": "{\n  \"n\": 2\n}", "version": "1"}), 302)
	ada.post(t, path, form(map[string]string{"value": "3", "version": "1"}), 409, "has version 2", "version 2")
	for _, key := range []string{"bob", "bea"} {
		ada.post(t, path, form(map[string]string{"key": key}), 302)
	}
	table := path + "/table?store=default&table=customers"
	ada.page(t, "/kv", 200, "customers", "3")
	ada.page(t, table, 200, "ann", "bob", "bea", `{&#34;n&#34;:2}`)
	if found := ada.page(t, table+"&prefix=b", 200, "bob", "bea"); strings.Contains(found, ">ann<") {
		t.Errorf("keys that begin otherwise are shown: %s", found)
	}
	ada.page(t, table+"&prefix="+url.QueryEscape(`"><i>x`), 400)
	ada.page(t, table+"&after=ann", 200, "bea", "Before")
	ada.page(t, path+"/table?store=default&table=none", 404)
	ada.page(t, path+"/value?store=default&table=customers&key=none", 404)

	// A viewer looks; to others it is not there.
	ada.post(t, path+"/delete", form(map[string]string{"key": "bob", "version": "9"}), 409)
	bob := viewerOf(t, ada, "bob@example.com")
	seen := bob.page(t, stored, 200, "&#34;n&#34;: 2")
	if strings.Contains(seen, "Save") || strings.Contains(seen, "Delete") {
		t.Errorf("a viewer sees what changes a value: %s", seen)
	}
	bob.post(t, path, form(map[string]string{"version": ""}), 403)
	bob.post(t, path+"/delete", form(map[string]string{"version": ""}), 403)
	eve := own{ada.Account(t, "eve@example.com", "correct horse staple"), s.URL}
	for _, foreign := range []string{table, stored} {
		eve.page(t, foreign, 404)
	}
	eve.post(t, path, form(nil), 404)
	eve.post(t, path+"/delete", form(nil), 404)

	ada.post(t, path+"/delete", form(map[string]string{"version": "2"}), 302)
	ada.page(t, strings.TrimSuffix(stored, "&done=stored"), 404)
}

// viewerOf makes somebody a viewer of the first organization.
func viewerOf(t *testing.T, ada own, login string) own {
	t.Helper()
	b := own{ada.Account(t, login, "correct horse staple"), ada.url}
	me := b.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
	ada.ask(t, 200, "POST", "/api/organizations/"+ada.Organization(t)+"/members", map[string]string{"user_id": me, "role": "viewer"})
	return b
}

// The pages about secrets say which workflows ask for one, and what they ask for
// in vain.
func TestProvidersPage(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	ada := own{loggedIn(t, s), s.URL}
	storeSecret(t, s.Client, "stripe", "default", `{"extra": "the value"}`)
	storeSecret(t, s.Client, "stripe", "default:extra", "the value")
	d := s.Deploy(t, `<i>x`, `
		import { Builtin, Secret } from "floww";
		import { z } from "zod";
		const stripe = new Secret("stripe", z.object({ extra: z.string() }));
		new Builtin().triggers.onWebhook({ path: "/in", handler: async () => stripe.value() });
	`)
	used := "/workflows/" + d.WorkflowID
	ada.page(t, "/secrets", 200, used, "&lt;i&gt;x", "1 workflows ask for it")
	providers := ada.page(t, "/providers", 200, used, "set up", "kvstore", "built in", "default, default:extra")
	remove := regexp.MustCompile(`/providers/of/[0-9a-f-]+/delete`).FindString(providers)
	form := url.Values{"provider": {"stripe"}, "alias": {"default"}}
	bob := viewerOf(t, ada, "bob@example.com")
	if seen := bob.page(t, "/providers?organization="+ada.Organization(t), 200, "stripe"); strings.Contains(seen, remove) {
		t.Errorf("a viewer is offered to delete: %s", seen)
	}
	bob.post(t, remove, form, 403)
	eve := own{ada.Account(t, "eve@example.com", "correct horse staple"), s.URL}
	eve.post(t, remove, form, 404)
	eve.page(t, "/providers?organization="+ada.Organization(t), 404)
	ada.post(t, remove, url.Values{"provider": {"stripe"}, "alias": {"none"}}, 404)
	ada.post(t, remove, form, 302)
	ada.post(t, remove, form, 404)
	ada.page(t, "/providers", 200, "not set up", "provider=stripe#store")
	ada.page(t, "/secrets", 200, "Asked for, and not stored", used)
	ada.page(t, "/secrets?provider=stripe&name=default", 200, `value="stripe"`)
}

// An organization's pages say why somebody may do something and how much is used,
// and keys are replaced and end.
func TestAccessUsageAndKeys(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	ada := own{loggedIn(t, s), s.URL}
	mine := ada.Organization(t)
	d := s.Deploy(t, `<i>x`, apptest.Handler(`return 1`))
	d.Run(t, `{}`)
	bob := viewerOf(t, ada, "bob@example.com")
	his := bob.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
	ask := func(who string, more string) string {
		return "/organization/access?organization=" + mine + "&who=" + url.QueryEscape(who) + "&action=workflow.write" + more
	}
	on := "&type=workflow&resource=" + d.WorkflowID
	ada.page(t, ask("user:"+his, ""), 200, "may not:", "the role in the organization is viewer, which is too little", "None: the role")
	ada.ask(t, 200, "POST", "/api/access/grant", map[string]string{
		"principal_type": "user", "principal_id": his, "resource_type": "workflow", "resource_id": d.WorkflowID, "role": "user",
	})
	ada.page(t, ask("user:"+his, on), 200, "may:", "is granted on the resource itself", "/workflows/"+d.WorkflowID)
	bob.page(t, ask("", on), 200, "You may:")
	bob.page(t, ask("user:"+ada.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string), on), 403)
	for path, status := range map[string]int{
		ask("user:x", ""): 404, ask("robot:"+his, ""): 400, ask("", "&type=workflow&resource=x"): 400, ask("", "&type=planet&resource="+his): 400,
		ask("", "&type=folder&resource="+d.WorkflowID): 404, "/organization/access?action=fly": 400,
	} {
		ada.page(t, path, status)
	}
	ada.page(t, "/organization/usage", 200, "Runs in 30 days", "<strong>1</strong>")
	ada.page(t, "/organization/usage?days=365", 200, "Runs in 365 days")
	ada.page(t, "/organization/usage?days=31", 400)
	eve := own{ada.Account(t, "eve@example.com", "correct horse staple"), s.URL}
	for _, path := range []string{"/organization/access?organization=" + mine, "/organization/usage?organization=" + mine} {
		eve.page(t, path, 404)
	}

	// Keys.
	ada.post(t, "/organization/"+mine+"/accounts", url.Values{"name": {"ci"}, "role": {"member"}}, 302)
	account := regexp.MustCompile(`/organization/accounts/[0-9a-f-]+`).FindString(ada.page(t, "/organization", 200))
	shown := regexp.MustCompile(`<code id="key">([^<]*)</code>`)
	made := shown.FindStringSubmatch(string(ada.post(t, account+"/keys", url.Values{"name": {"laptop"}, "days": {"30"}}, 200).Body))[1]
	for _, wrong := range []string{"0", "x", "99999999"} {
		ada.post(t, account+"/keys", url.Values{"name": {"wrong"}, "days": {wrong}}, 400, "A key works for")
	}
	rotate := regexp.MustCompile(account + `/keys/[0-9a-f-]+/rotate`).FindString(ada.page(t, "/organization", 200, "works until"))
	ada.post(t, rotate, url.Values{"hours": {"9999"}}, 400, "works for 0 to")
	bob.post(t, rotate, nil, 403)
	bob.post(t, account+"/delete", nil, 403)
	eve.post(t, rotate, nil, 404)
	eve.post(t, account+"/delete", nil, 404)
	next := shown.FindStringSubmatch(string(ada.post(t, rotate, url.Values{"hours": {"0"}}, 200).Body))[1]
	opens := func(key string) int { return apptest.NewClient(t, s.URL, key).Do(t, "GET", "/api/whoami", nil).Status }
	if before, after := opens(made), opens(next); before != 401 || after != 200 {
		t.Errorf("the old key is answered %d, the new one %d", before, after)
	}
	ada.post(t, account+"/delete", nil, 302)
	if got := opens(next); got != 401 {
		t.Errorf("a key of a deleted account is answered %d", got)
	}
}
