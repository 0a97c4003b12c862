package apptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

const disabledText = "This organization is disabled; an administrator of the installation can enable it again"

// everySecond says that it ran, each second and for each event.
const everySecond = `import { Builtin } from "floww";
const builtin = new Builtin();
builtin.triggers.onCron({ expression: "* * * * * *", handler: () => 1 });
builtin.triggers.onWebhook({ path: "in", handler: async (ctx: any, event: any) => {
	console.log("begun");
	if (event.body.ms) await new Promise((r) => setTimeout(r, event.body.ms));
	return 1;
} });
`

// An organization that is disabled lets nobody in and starts nothing, whoever has
// another one keeps that, and everything goes on once it is enabled.
func TestDisabledOrganization(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) { c.AdminUserIDs = []string{"root"} }})
	root, alice, bob := s.Person(t, "root"), s.Person(t, "alice"), s.Person(t, "bob")
	s.Join(t, alice.Organization, bob, "member")
	robot := alice.RoleClient(t, "admin")
	d := alice.Deploy(t, "theirs", everySecond)
	goesOn := root.Deploy(t, "goes on", everySecond)
	run := d.Send(t, `{"ms": 1000}`)
	apptest.Until(t, 30*time.Second, "a run under way", func() bool { return len(alice.Execution(t, run).LogEntries) > 0 })
	fired := func(c *apptest.Client, of string) float64 {
		t.Helper()
		return c.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+of, nil)["total"].(float64)
	}

	at := "/api/admin/organizations/" + alice.Organization
	problem(t, alice.Client, http.StatusForbidden, "PATCH", at, map[string]any{"disabled": true})
	problem(t, root.Client, http.StatusNotFound, "PATCH", "/api/admin/organizations/"+d.WorkflowID, map[string]any{"disabled": true})
	if got := root.JSON(t, http.StatusOK, "GET", at, nil); got["disabled"] != false {
		t.Errorf("at first it is %v", got)
	}
	disabled := root.JSON(t, http.StatusOK, "PATCH", at, map[string]any{"disabled": true})
	if disabled["disabled"] != true || disabled["disabledAt"] == nil {
		t.Errorf("disabled, it is %v", disabled)
	}

	for name, c := range map[string]*apptest.Client{"its owner": alice.Client, "its key": robot.Client} {
		for _, path := range []string{"/api/workflows", "/api/workflows/" + d.WorkflowID, "/api/executions/" + run, "/workflows", "/workflows/" + d.WorkflowID} {
			if r := c.Do(t, "GET", path, nil); r.Status != http.StatusForbidden || !strings.Contains(string(r.Body), disabledText) {
				t.Errorf("%s: GET %s: %s, want 403 that says why", name, path, r)
			}
		}
		problem(t, c, http.StatusForbidden, "POST", "/api/workflow-deployments", apptest.DeployBody(d.WorkflowID, map[string]string{"main.ts": everySecond}))
	}
	if text := problem(t, bob.Client, http.StatusForbidden, "GET", "/api/workflows/"+d.WorkflowID, nil); text != disabledText {
		t.Errorf("a member with another organization reads %q", text)
	}
	if got := names(bob.JSON(t, http.StatusOK, "GET", "/api/workflows", nil)); got != "" {
		t.Errorf("a member still lists %q", got)
	}
	bob.Deploy(t, "of bob", apptest.Handler(`return 1`)).Run(t, `{}`)
	if r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{}`); r.Status != http.StatusForbidden || !strings.Contains(string(r.Body), "disabled") {
		t.Errorf("an event of it: %s, want 403", r)
	}
	// The schedule of another organization is the clock.
	before := fired(root.Client, goesOn.WorkflowID)
	apptest.Until(t, 30*time.Second, "three times of a schedule", func() bool { return fired(root.Client, goesOn.WorkflowID) >= before+3 })

	enabled := root.JSON(t, http.StatusOK, "PATCH", at, map[string]any{"disabled": false})
	if enabled["disabledAt"] != nil {
		t.Errorf("enabled, it is %v", enabled)
	}
	// What was accepted at the same moment as it was disabled counts as before.
	from, until := timeIn(t, disabled, "disabledAt").Add(time.Second), timeIn(t, enabled, "updatedAt")
	for _, e := range results(alice.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+d.WorkflowID, nil)) {
		if received := timeIn(t, e, "receivedAt"); received.After(from) && received.Before(until) {
			t.Errorf("it fired at %v, and was disabled from %v to %v", received, from, until)
		}
	}
	if e := alice.Ended(t, run); e.Status != "completed" {
		t.Errorf("the run that was under way is %s: %s", e.Status, e.ErrorMessage)
	}
	d.Run(t, `{}`)

	// The same by the page of an administrator.
	page := "/admin/api/organization/details/" + alice.Organization
	has := func(path string, texts ...string) {
		t.Helper()
		if r := root.Do(t, "GET", path, nil); r.Status != http.StatusOK {
			t.Errorf("GET %s: %s", path, r)
		} else {
			wantText(t, r, texts...)
		}
	}
	has(page, "Yes: disable")
	if r := alice.Do(t, "POST", page+"/disable", "", "Content-Type", "application/x-www-form-urlencoded"); r.Status != http.StatusForbidden {
		t.Errorf("an owner disables by the page: %s", r)
	}
	root.Do(t, "POST", page+"/disable", "", "Content-Type", "application/x-www-form-urlencoded")
	has(page+"?done=disable", "The organization is disabled.", "Yes: enable")
	problem(t, robot.Client, http.StatusForbidden, "GET", "/api/workflows", nil)
	root.Do(t, "POST", page+"/enable", "", "Content-Type", "application/x-www-form-urlencoded")
	has(page+"?done=enable", "The organization is enabled.")
	robot.JSON(t, http.StatusOK, "GET", "/api/workflows", nil)
	log := strings.Join(entries(t, root.Client, "/api/admin/audit", ""), "\n")
	if strings.Count(log, "organization.disable") != 2 || strings.Count(log, "organization.enable") != 2 {
		t.Errorf("the audit log has\n%s", log)
	}
}

func timeIn(t *testing.T, object map[string]any, name string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, object[name].(string))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// An administrator lets a run that waits for its next attempt take its turn.
func TestAdministratorReleases(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) { c.AdminUserIDs = []string{"root"} }})
	root := s.Person(t, "root")
	d := s.Deploy(t, "slow retries", retrying(`retry: { attempts: 2, delay: 3600, jitter: false }`))
	run := d.Send(t, `{"failures": 1}`)
	apptest.Until(t, 30*time.Second, "a run that waits for its next attempt", func() bool {
		return strings.Contains(string(root.Do(t, "GET", "/admin/jobs", nil).Body), "/details/"+run+"/release")
	})
	release := "/admin/api/execution-history/details/" + run + "/release"
	if r := root.Do(t, "POST", release, "", "Content-Type", "application/x-www-form-urlencoded"); r.Status/100 == 4 {
		t.Errorf("release: %s", r)
	}
	if e := s.Ended(t, run); e.Status != "completed" || e.Attempt != 2 {
		t.Errorf("released, it is %s at attempt %d", e.Status, e.Attempt)
	}
	if r := root.Do(t, "POST", release, "", "Content-Type", "application/x-www-form-urlencoded"); r.Status != http.StatusConflict {
		t.Errorf("release again: %s", r)
	}
	if log := strings.Join(entries(t, root.Client, "/api/admin/audit", ""), "\n"); !strings.Contains(log, "execution.release") {
		t.Errorf("the audit log has\n%s", log)
	}
}
