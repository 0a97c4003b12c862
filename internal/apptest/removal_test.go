package apptest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// A deleted organization answers nothing to anybody, at once, and comes back
// whole.
func TestDeletedOrganization(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner, member := s.Person(t, "ada"), s.Person(t, "bob")
	org := owner.Organization // the default one, which s.Client has a key of
	s.Join(t, org, member, "admin")
	d := s.Deploy(t, "hello", apptest.Handler(`return 1`))
	d.Run(t, `{}`)
	path := "/api/organizations/" + org

	r := exchange{"removal", owner.Client, "GET", path + "/removal", nil, 200, ""}.run(t)
	for what, n := range map[string]float64{"workflows": 1, "executions": 1, "members": 2, "serviceAccounts": 1, "apiKeys": 1, "namespaces": 1} {
		if r[what] != n {
			t.Errorf("a deletion removes %v %s, want %v", r[what], what, n)
		}
	}
	exchange{"an admin deletes", member.Client, "DELETE", path, nil, 403, "owners"}.run(t)
	gone := exchange{"deleted", owner.Client, "DELETE", path, nil, 200, ""}.run(t)
	if until, err := time.Parse(time.RFC3339, gone["restorableUntil"].(string)); err != nil || until.Before(time.Now().Add(6*24*time.Hour)) {
		t.Errorf("restorable until %v (%v)", gone["restorableUntil"], err)
	}
	send := func() int { return s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{}`).Status }
	for _, e := range []exchange{
		{"its owner", owner.Client, "GET", path, nil, 404, "not found"},
		{"again", owner.Client, "DELETE", path, nil, 404, "not found"},
		{"its key", s.Client, "GET", "/api/whoami", nil, 401, ""},
		{"its workflow", owner.Client, "GET", "/api/workflows/" + d.WorkflowID, nil, 404, "not found"},
		{"a member restores", member.Client, "POST", path + "/restore", nil, 404, "not found"},
	} {
		e.run(t)
	}
	if status := send(); status != http.StatusNotFound {
		t.Errorf("its webhook answers %d", status)
	}
	if listed := results(owner.JSON(t, 200, "GET", "/api/organizations", nil)); len(listed) != 0 {
		t.Errorf("the owner has %v", listed)
	}
	if listed := results(member.JSON(t, 200, "GET", "/api/organizations?deleted=true", nil)); len(listed) != 0 {
		t.Errorf("a member may restore %v", listed)
	}
	listed := results(owner.JSON(t, 200, "GET", "/api/organizations?deleted=true", nil))
	if len(listed) != 1 || listed[0]["id"] != org || listed[0]["deletedAt"] == nil || listed[0]["restorableUntil"] == nil {
		t.Errorf("the owner may restore %v", listed)
	}

	exchange{"restored", owner.Client, "POST", path + "/restore", nil, 200, ""}.run(t)
	exchange{"restored twice", owner.Client, "POST", path + "/restore", nil, 404, "not found"}.run(t)
	exchange{"its admin", member.Client, "GET", path + "/members", nil, 200, ""}.run(t)
	if e := d.Run(t, `{}`); e.Status != "completed" {
		t.Errorf("a run after the restoration is %s", e.Status)
	}
}
