package apptest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

// visitor is somebody who opens every page.
type visitor struct {
	name    string
	browser *apptest.Browser
	// role is the one in the organization that owns what paths name; RoleNone for
	// another tenant.
	role  tenant.Role
	admin bool
	// out says that nobody is logged in.
	out bool
}

// may reports what the policy of a route says about a visitor.
func (v visitor) may(info route.Info) bool {
	switch {
	case v.out:
		return false
	case info.Policy.IsAdmin():
		return v.admin
	case info.Policy.IsSelf():
		return true
	}
	of := id.ID{1}
	role := v.role
	if info.Object == "" {
		role = max(role, tenant.RoleOwner) // in an organization of his own
	}
	p := identity.Principal{Kind: identity.Human, Memberships: []tenant.Membership{{OrganizationID: of, Role: role}}}
	return access.Decide(p, info.Policy.Action(), access.Resource{OrganizationID: of}).Allowed
}

// hostileMark is in all names of the first tenant: nothing of it may be markup,
// and nobody else may see it.
const hostileMark = `"'><img src=x>hostility`

// Every page of the router's table is opened, and every form is sent, by everybody:
// each gets what the policy of the route says, another tenant finds nothing and
// sees nothing of the first, forms that another site sends are refused, and what
// people chose as names is text.
func TestEveryPageByRole(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	ada := own{loggedIn(t, s), s.URL}
	mine := ada.Organization(t)
	o := hostileObjects(t, s, ada)
	visitors := []visitor{
		{name: "nobody", browser: apptest.NewBrowser(t, s.URL), out: true},
		{name: "another tenant", browser: ada.Account(t, "eve@example.com", "correct horse staple")},
	}
	for _, role := range []tenant.Role{tenant.RoleViewer, tenant.RoleMember, tenant.RoleAdmin} {
		b := ada.Account(t, role.String()+"@example.com", "correct horse staple")
		me := b.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
		ada.ask(t, 200, "POST", "/api/organizations/"+mine+"/members", map[string]string{"user_id": me, "role": role.String()})
		visitors = append(visitors, visitor{name: role.String(), browser: b, role: role})
	}
	visitors = append(visitors, visitor{name: "owner and administrator", browser: ada.Browser, role: tenant.RoleOwner, admin: true})
	pages := 0
	for _, info := range s.App.Routes() {
		if !info.Page || info.Policy.IsPublic() {
			continue
		}
		pages++
		path := fill(info, o)
		for _, v := range visitors {
			if info.Method == http.MethodPost {
				v.sends(t, s, info, path)
			} else {
				v.opens(t, info, path, o)
			}
		}
	}
	if pages < 40 {
		t.Errorf("only %d pages were looked at", pages)
	}
}

// opens opens a page.
func (v visitor) opens(t *testing.T, info route.Info, path string, o objects) {
	t.Helper()
	r := v.browser.Get(t, path, "Accept", "text/html")
	what := fmt.Sprintf("%s: GET %s (%s) is answered %d", v.name, info.Path, info.Policy, r.Status)
	body := string(r.Body)
	switch {
	case r.Status >= 500:
		t.Errorf("%s: %.300s", what, body)
	case v.out && (r.Status != http.StatusTemporaryRedirect || !strings.HasPrefix(r.Location(t), "/auth/login?next=")):
		t.Errorf("%s, and not led to the login", what)
	case !v.out && v.role == tenant.RoleNone && info.Object != "" && r.Status != http.StatusNotFound:
		t.Errorf("%s: what is another's is not there", what)
	case !v.out && !v.may(info) && (v.role != tenant.RoleNone || info.Object == "") && r.Status != http.StatusForbidden:
		t.Errorf("%s, want a refusal", what)
	case v.may(info) && r.Status == http.StatusForbidden:
		t.Errorf("%s, although it is allowed: %.300s", what, body)
	}
	if strings.Contains(body, "<img src=x") {
		t.Errorf("%s: a name is markup", what)
	}
	if v.role == tenant.RoleNone && !v.admin {
		for _, foreign := range []string{"hostility", "/executions/" + o.execution, "/workflows/" + o.workflow, apptest.AdminLogin} {
			if strings.Contains(body, foreign) {
				t.Errorf("%s and has %q of the first tenant", what, foreign)
			}
		}
	}
	if policy := r.Header.Get("Content-Security-Policy"); r.Status == http.StatusOK && (!strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe")) {
		t.Errorf("%s with the policy %q", what, policy)
	}
}

// sends sends a form: from another site by everybody, which must do nothing, and
// from this one by whoever may not.
func (v visitor) sends(t *testing.T, s *apptest.Server, info route.Info, path string) {
	t.Helper()
	send := func(site, origin string) apptest.Response {
		return v.browser.Do(t, "POST", path, "name=x&role=viewer&email=x@example.com&value=1&store=default&table=t&key=k", "Content-Type", "application/x-www-form-urlencoded",
			"Origin", origin, "Sec-Fetch-Site", site, "Accept", "text/html")
	}
	refused := []int{http.StatusForbidden}
	if v.out {
		refused = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTemporaryRedirect, http.StatusSeeOther}
	}
	if r := send("cross-site", "https://evil.example"); !slices.Contains(refused, r.Status) {
		t.Errorf("%s: POST %s from another site is answered %d: %.300s", v.name, info.Path, r.Status, r.Body)
	}
	foreign := v.role == tenant.RoleNone && info.Object != ""
	if v.may(info) && !foreign {
		return // what is allowed is done by the tests of what it does
	}
	if foreign && !v.out {
		refused = []int{http.StatusNotFound}
	}
	if r := send("same-origin", s.URL); !slices.Contains(refused, r.Status) {
		t.Errorf("%s: POST %s (%s) is answered %d, want one of %v: %.300s", v.name, info.Path, info.Policy, r.Status, refused, r.Body)
	}
}

// hostileObjects makes one of everything, under names that are markup.
func hostileObjects(t *testing.T, s *apptest.Server, ada own) objects {
	t.Helper()
	ada.ask(t, 200, "PATCH", "/api/organizations/"+ada.Organization(t), map[string]string{"displayName": hostileMark})
	d := s.Deploy(t, hostileMark, apptest.Handler(`console.log('`+strings.ReplaceAll(hostileMark, "'", `\'`)+`'); throw new Error('`+strings.ReplaceAll(hostileMark, "'", `\'`)+`')`))
	e := d.Run(t, fmt.Sprintf(`{"n": %q}`, hostileMark))
	triggers := s.JSON(t, 200, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)["results"].([]any)
	account := ada.ask(t, 200, "POST", "/api/service_accounts", map[string]string{"organization_id": ada.Organization(t), "name": hostileMark, "role": "member"})["id"].(string)
	key := ada.ask(t, 200, "POST", "/api/service_accounts/"+account+"/api_keys", map[string]string{"name": hostileMark})["id"].(string)
	batch := s.JSON(t, http.StatusAccepted, "POST", "/api/executions/workflows/"+d.WorkflowID+"/batches", map[string]any{"action": "replay"})["id"].(string)
	ada.ask(t, 200, "PUT", "/api/kv/default/t/k", map[string]any{"value": hostileMark})
	return objects{
		organization: ada.Organization(t), namespace: s.Namespace(t), workflow: d.WorkflowID, deployment: d.DeploymentID, execution: e.ID,
		trigger: triggers[0].(map[string]any)["id"].(string), account: account, key: key, batch: batch,
		secret: storeSecret(t, s.Client, hostileMark, hostileMark, "value"), folder: makeFolder(t, s.Client, hostileMark, ""),
	}
}
