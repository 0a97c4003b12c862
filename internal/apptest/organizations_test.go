package apptest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// exchange is a request, and what its answer must be.
type exchange struct {
	name         string
	by           *apptest.Client
	method, path string
	body         any
	status       int
	// says is in the failure's text, in any case.
	says string
}

func (e exchange) run(t *testing.T) map[string]any {
	t.Helper()
	r := e.by.Do(t, e.method, e.path, e.body)
	if r.Status != e.status {
		t.Errorf("%s: %s %s: %s, want %d", e.name, e.method, e.path, r, e.status)
	}
	var object map[string]any
	_ = json.Unmarshal(r.Body, &object) // arrays have no members to look at
	if detail, _ := object["detail"].(string); !strings.Contains(strings.ToLower(detail), strings.ToLower(e.says)) {
		t.Errorf("%s: %s %s: detail %q does not say %q", e.name, e.method, e.path, detail, e.says)
	}
	return object
}

func results(object map[string]any) []map[string]any {
	var all []map[string]any
	list, _ := object["results"].([]any)
	for _, x := range list {
		all = append(all, x.(map[string]any))
	}
	return all
}

// The acceptance criteria 1 to 17, 35 and 36 of identity-realtime-admin.md, in
// their order and with their numbers.
func TestOrganizationCriteria(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	s.Person(t, "first") // takes the default organization
	a, b := s.Person(t, "ada"), s.Person(t, "bob")

	exchange{"1", s.Anonymous(), "GET", "/api/whoami", nil, 401, ""}.run(t)
	for _, p := range []*apptest.Person{a, b} {
		if me := (exchange{"2", p.Client, "GET", "/api/whoami", nil, 200, ""}).run(t); me["workos_user_id"] != p.Subject {
			t.Errorf("2: whoami says %v, want %s", me["workos_user_id"], p.Subject)
		}
	}
	made := exchange{"3", a.Client, "POST", "/api/organizations", map[string]any{"name": "test-org", "display_name": "Test"}, 200, ""}.run(t)
	if made["name"] != "test-org" || made["display_name"] != "Test" || made["displayName"] != "Test" {
		t.Errorf("3: made %v", made)
	}
	listed := results(exchange{"4", a.Client, "GET", "/api/organizations", nil, 200, ""}.run(t))
	if len(listed) != 2 || listed[0]["name"] == "" || listed[1]["name"] != "test-org" {
		t.Errorf("4: listed %v", listed)
	}
	org := made["id"].(string)
	var inside []map[string]any
	for _, n := range results(exchange{"5", a.Client, "GET", "/api/namespaces", nil, 200, ""}.run(t)) {
		if owner := n["organization"].(map[string]any); owner["id"] == org {
			inside = append(inside, n)
			if owner["name"] != "test-org" || owner["display_name"] != "Test" || owner["displayName"] != "Test" {
				t.Errorf("5: owner %v", owner)
			}
		}
	}
	if len(inside) != 1 || made["namespace"].(map[string]any)["id"] != inside[0]["id"] {
		t.Errorf("5: namespaces %v, made %v", inside, made["namespace"])
	}
	if made["created_at"] == nil || made["organization"].(map[string]any)["id"] != org {
		t.Errorf("6: made %v", made)
	}
	if listed := results(exchange{"7", b.Client, "GET", "/api/organizations", nil, 200, ""}.run(t)); len(listed) != 1 {
		t.Errorf("7: %v", listed)
	}
	exchange{"8", b.Client, "POST", "/api/organizations", map[string]any{"name": "test-org", "display_name": "Test"}, 409, "already exists"}.run(t)
	path := "/api/organizations/" + org
	if o := (exchange{"9", a.Client, "PATCH", path, map[string]any{"display_name": "New"}, 200, ""}).run(t); o["display_name"] != "New" {
		t.Errorf("9: %v", o)
	}
	exchange{"9", a.Client, "DELETE", path, nil, 200, ""}.run(t)
	exchange{"9", a.Client, "GET", path, nil, 404, "not found"}.run(t)

	memberCriteria(t, a, b)
	namespaceCriteria(t, s, a, b)
}

func memberCriteria(t *testing.T, a, b *apptest.Person) {
	t.Helper()
	members := "/api/organizations/" + a.Organization + "/members"
	both := func(number string, want map[string]string) {
		t.Helper()
		if got := roles(t, a.Client, members); !cmp.Equal(got, want) {
			t.Errorf("%s: roles %v, want %v", number, got, want)
		}
	}
	add := map[string]any{"user_id": b.ID, "role": "member"}
	for _, e := range []exchange{
		{"10", a.Client, "POST", members, add, 200, ""},
		{"10 again", a.Client, "POST", members, add, 400, "already a member"},
		{"11", b.Client, "PATCH", members + "/" + b.ID, map[string]any{"role": "admin"}, 403, "owners and admins"},
		{"11", a.Client, "PATCH", members + "/" + b.ID, map[string]any{"role": "ADMIN"}, 200, ""},
	} {
		e.run(t)
	}
	both("11", map[string]string{a.ID: "owner", b.ID: "admin"})
	for _, e := range []exchange{
		{"12", a.Client, "PATCH", members + "/" + b.ID, map[string]any{"role": "member"}, 200, ""},
		{"12", b.Client, "DELETE", members + "/" + b.ID, nil, 403, "owners and admins"},
		{"12", a.Client, "DELETE", members + "/" + b.ID, nil, 200, ""},
		{"13", a.Client, "DELETE", members + "/" + a.ID, nil, 400, "last owner"},
		{"14", a.Client, "PATCH", members + "/" + a.ID, map[string]any{"role": "member"}, 400, "last owner"},
		{"14", a.Client, "PATCH", members + "/" + a.ID, map[string]any{"role": "admin"}, 400, "last owner"},
		{"leave", a.Client, "POST", "/api/organizations/" + a.Organization + "/leave", nil, 400, "last owner"},
		{"15", a.Client, "POST", members, map[string]any{"userId": b.ID, "role": "owner"}, 200, ""},
		{"15", a.Client, "PATCH", members + "/" + a.ID, map[string]any{"role": "admin"}, 200, ""},
	} {
		e.run(t)
	}
	both("15, 16", map[string]string{a.ID: "admin", b.ID: "owner"})
}

// roles reads the bare array of members.
func roles(t *testing.T, c *apptest.Client, members string) map[string]string {
	t.Helper()
	r := c.Do(t, "GET", members, nil)
	var all []struct {
		Role string
		User struct{ ID, Email string }
	}
	if err := json.Unmarshal(r.Body, &all); err != nil || r.Status != http.StatusOK {
		t.Fatalf("GET %s: %s (%v)", members, r, err)
	}
	got := map[string]string{}
	for _, m := range all {
		got[m.User.ID] = m.Role
	}
	return got
}

func namespaceCriteria(t *testing.T, s *apptest.Server, a, b *apptest.Person) {
	t.Helper()
	c := s.Person(t, "cyd")
	seen := map[string]bool{}
	for _, p := range []*apptest.Person{a, c} {
		list := exchange{"17", p.Client, "GET", "/api/namespaces", nil, 200, ""}.run(t)
		all := results(list)
		if list["total"] != float64(len(all)) || len(all) == 0 {
			t.Errorf("17, 35: total %v of %d", list["total"], len(all))
		}
		for _, n := range all {
			if n["organization"] == nil || seen[n["id"].(string)] {
				t.Errorf("17: namespace %v", n)
			}
			seen[n["id"].(string)] = true
		}
	}
	own := results(c.JSON(t, 200, "GET", "/api/namespaces", nil))[0]["id"].(string)
	n := exchange{"36", c.Client, "GET", "/api/namespaces/" + own, nil, 200, ""}.run(t)
	if n["id"] != own || n["organization"] == nil || !strings.HasSuffix(fmt.Sprint(n["createdAt"]), "Z") {
		t.Errorf("36: %v", n)
	}
	for _, path := range []string{c.Organization, "not-an-id", "00000000-0000-0000-0000-000000000000"} {
		exchange{"36", c.Client, "GET", "/api/namespaces/" + path, nil, 404, "not found"}.run(t)
	}
	exchange{"36", b.Client, "GET", "/api/namespaces/" + own, nil, 404, "not found"}.run(t)
	s.Join(t, c.Organization, b, "member")
	exchange{"36", b.Client, "GET", "/api/namespaces/" + own, nil, 200, ""}.run(t)
	exchange{"36", c.Client, "DELETE", "/api/organizations/" + c.Organization + "/members/" + b.ID, nil, 200, ""}.run(t)
	exchange{"36", b.Client, "GET", "/api/namespaces/" + own, nil, 404, "not found"}.run(t)
}

// What each role may do to an organization and to each other role in it, and
// that a stranger finds none of it.
func TestOrganizationsByRole(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	s.Person(t, "first")
	owner := s.Person(t, "owner")
	org := owner.Organization
	people := map[string]*apptest.Person{"owner": owner, "stranger": s.Person(t, "stranger")}
	for _, role := range []string{"admin", "member", "viewer"} {
		people[role] = s.Person(t, role)
		s.Join(t, org, people[role], role)
	}
	// One whom everybody knows, and in this organization by turns.
	guest := s.Person(t, "guest")
	for _, p := range people {
		s.Join(t, p.Organization, guest, "viewer")
	}
	path := "/api/organizations/" + org
	callers := []string{"owner", "admin", "member", "viewer", "stranger"}
	for _, row := range []struct {
		method, path string
		body         any
		want         string
	}{
		{"GET", "", nil, "200 200 200 200 404"},
		{"GET", "/members", nil, "200 200 200 200 404"},
		{"GET", "/removal", nil, "200 403 403 403 404"},
		{"PATCH", "", map[string]any{"displayName": "Renamed"}, "200 200 403 403 404"},
		{"PATCH", "", map[string]any{"displayName": nil}, "400 400 403 403 404"},
		{"PATCH", "", map[string]any{"name": "no spaces"}, "400 400 403 403 404"},
		{"PATCH", "/members/{guest}", map[string]any{"role": "member"}, "200 200 403 403 404"},
		{"PATCH", "/members/{guest}", map[string]any{"role": "admin"}, "200 200 403 403 404"},
		{"PATCH", "/members/{guest}", map[string]any{"role": "owner"}, "200 403 403 403 404"},
		{"PATCH", "/members/{guest}", map[string]any{"role": "king"}, "400 400 403 403 404"},
		{"PATCH", "/members/{owner}", map[string]any{"role": "viewer"}, "400 403 403 403 404"},
		{"PATCH", "/members/{self}", map[string]any{"role": "owner"}, "200 403 403 403 404"},
		{"PATCH", "/members/{stranger}", map[string]any{"role": "owner"}, "404 404 403 403 404"},
		{"DELETE", "/members/{stranger}", nil, "404 404 403 403 404"},
		{"DELETE", "/members/{owner}", nil, "400 403 403 403 404"},
		{"POST", "/members", map[string]any{"userId": "00000000-0000-0000-0000-000000000001"}, "404 404 403 403 404"},
		{"POST", "/members", map[string]any{"userId": "nobody"}, "404 404 403 403 404"},
		{"DELETE", "/members/{guest}", nil, "200 200 403 403 404"},
	} {
		var got []string
		for _, caller := range callers {
			c := people[caller]
			s.Join(t, org, guest, "viewer")
			fill := strings.NewReplacer("{guest}", guest.ID, "{owner}", owner.ID, "{stranger}", people["stranger"].ID, "{self}", c.ID)
			body := row.body
			if m, ok := body.(map[string]any); ok && m["userId"] != nil {
				body = map[string]any{"userId": fill.Replace(m["userId"].(string))}
			}
			r := c.Do(t, row.method, path+fill.Replace(row.path), body)
			got = append(got, fmt.Sprint(r.Status))
		}
		if got := strings.Join(got, " "); got != row.want {
			t.Errorf("%s %s %v: %v answer %s, want %s", row.method, row.path, row.body, callers, got, row.want)
		}
	}
	want := map[string]string{owner.ID: "owner", guest.ID: "viewer"}
	for _, role := range []string{"admin", "member", "viewer"} {
		want[people[role].ID] = role
	}
	s.Join(t, org, guest, "viewer")
	if got := roles(t, owner.Client, path+"/members"); !cmp.Equal(got, want) {
		t.Errorf("in the end the roles are %v, want %v", got, want)
	}
	for _, role := range []string{"admin", "member", "viewer"} {
		exchange{role, people[role].Client, "POST", path + "/leave", nil, 200, ""}.run(t)
		exchange{role, people[role].Client, "GET", path, nil, 404, "not found"}.run(t)
	}
}

// Whoever was given somebody's id adds them; with any other id nobody below an
// admin learns whether it is anyone's, and nobody gives a role above their own.
func TestAddingByID(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	s.Person(t, "first")
	owner, stranger, outsider := s.Person(t, "owner"), s.Person(t, "stranger"), s.Person(t, "outsider")
	people := map[string]*apptest.Client{"owner": owner.Client, "outsider": outsider.Client, "anonymous": s.Anonymous()}
	for _, role := range []string{"admin", "member", "viewer"} {
		p := s.Person(t, role)
		s.Join(t, owner.Organization, p, role)
		people[role] = p.Client
	}
	path := "/api/organizations/" + owner.Organization
	const nobody = "00000000-0000-0000-0000-000000000001"
	for _, row := range []struct {
		caller, role string
		status       int
	}{
		{"admin", "owner", 403}, {"member", "viewer", 403}, {"viewer", "viewer", 403}, {"outsider", "viewer", 404}, {"anonymous", "viewer", 401},
	} {
		for _, user := range []string{stranger.ID, nobody, outsider.ID} {
			r := people[row.caller].Do(t, "POST", path+"/members", map[string]any{"userId": user, "role": row.role})
			if r.Status != row.status || strings.Contains(string(r.Body), "@example.com") {
				t.Errorf("%s adds %s as %s: %s", row.caller, user, row.role, r)
			}
		}
	}
	// What has the id in its path tells a stranger from nobody as little.
	for _, method := range []string{"PATCH", "DELETE"} {
		for caller, c := range people {
			var answers [2]int
			for i, user := range []string{stranger.ID, nobody} {
				answers[i] = c.Do(t, method, path+"/members/"+user, map[string]any{"role": "member"}).Status
			}
			if answers[0] != answers[1] || answers[0] == http.StatusOK {
				t.Errorf("%s %ss a stranger and nobody: %v", caller, method, answers)
			}
		}
	}
	exchange{"not yet a member", stranger.Client, "GET", path, nil, 404, "not found"}.run(t)
	added := exchange{"by the admin", people["admin"], "POST", path + "/members", map[string]any{"userId": stranger.ID, "role": "admin"}, 200, ""}.run(t)
	if added["role"] != "admin" || added["user"].(map[string]any)["email"] != "stranger@example.com" {
		t.Errorf("added %v", added)
	}
	exchange{"added", stranger.Client, "GET", path, nil, 200, ""}.run(t)
	exchange{"who was added may go", stranger.Client, "POST", path + "/leave", nil, 200, ""}.run(t)
}

// In single-organization mode all are in one, and only what its owners need is
// left of managing it.
func TestSingleOrganization(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) {
		c.SingleOrg, c.SingleOrgName, c.SingleOrgDisplayName = true, "acme", "Acme Inc."
	}})
	owner, member := s.Person(t, "ada"), s.Person(t, "bob")
	path := "/api/organizations/" + owner.Organization
	if o := owner.JSON(t, 200, "GET", path, nil); o["name"] != "acme" || o["display_name"] != "Acme Inc." || o["role"] != "owner" {
		t.Errorf("the organization is %v", o)
	}
	if owner.Organization != member.Organization {
		t.Errorf("the second is in %s, want %s", member.Organization, owner.Organization)
	}
	const disabled = "Organization management is disabled in single-organization mode"
	for _, e := range []exchange{
		{"O1", member.Client, "GET", "/api/organizations", nil, 200, ""},
		{"O2", owner.Client, "POST", "/api/organizations", map[string]any{"displayName": "Mine"}, 403, disabled},
		{"O3", member.Client, "GET", path, nil, 200, ""},
		{"O4", owner.Client, "PATCH", path, map[string]any{"displayName": "New"}, 200, ""},
		{"O5", owner.Client, "DELETE", path, nil, 403, disabled},
		{"O6", member.Client, "GET", path + "/members", nil, 200, ""},
		{"O7", owner.Client, "POST", path + "/members", map[string]any{"userId": member.ID}, 403, disabled},
		{"O8", owner.Client, "PATCH", path + "/members/" + member.ID, map[string]any{"role": "admin"}, 200, ""},
		{"O4 admin", member.Client, "PATCH", path, map[string]any{"displayName": "New"}, 403, disabled},
		{"O8 admin", member.Client, "PATCH", path + "/members/" + member.ID, map[string]any{"role": "member"}, 403, disabled},
		{"leave", member.Client, "POST", path + "/leave", nil, 403, disabled},
		{"O9", owner.Client, "DELETE", path + "/members/" + member.ID, nil, 200, ""},
	} {
		e.run(t)
	}
}

// Somebody may own so many organizations and no more, and a display name is
// enough for each.
func TestOrganizationsAreBounded(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	s.Person(t, "first")
	p := s.Person(t, "ada")
	names := map[any]bool{}
	for range 49 {
		o := p.JSON(t, 200, "POST", "/api/organizations", map[string]any{"display_name": "Same name"})
		names[o["name"]] = true
	}
	if len(names) != 49 {
		t.Errorf("49 organizations have %d names", len(names))
	}
	exchange{"one too many", p.Client, "POST", "/api/organizations", map[string]any{"displayName": "x"}, 409, "50"}.run(t)
	exchange{"a key", s.Client, "POST", "/api/organizations", map[string]any{"displayName": "x"}, 403, "only people"}.run(t)
	exchange{"no name", p.Client, "POST", "/api/organizations", map[string]any{"displayName": " "}, 400, "1 to 255"}.run(t)
}
