package loadtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
)

// deployments is the account of the versions of the workflow's code. They are
// numbered from 1 and sent one after the other.
type deployments struct {
	mu sync.Mutex
	// sent is the newest version that was sent, latest the newest one that was
	// acknowledged.
	sent, latest int
	// acknowledged has the deployments by version, unchecked those whose code
	// was not looked at since.
	acknowledged map[int]string
	unchecked    []int
}

// failing is how many events there are to one whose first attempt fails.
const failing = 9

// files are the sources of a version. Both its code and its addresses need both
// files, so half of a deployment would be seen.
func files(version int, runTime time.Duration) map[string]string {
	return map[string]string{
		"version.ts": fmt.Sprintf("export const version = %d;\n", version),
		"main.ts": fmt.Sprintf(`import { Builtin } from "floww";
import { version } from "./version";
const builtin = new Builtin();
const handler = async (ctx: any, event: any) => {
  if (ctx.attempt === 1 && event.body.n %% %d === 0) throw new Error("the first attempt of some fails");
  await new Promise((done) => setTimeout(done, %d));
  return { n: event.body.n, size: event.body.pad.length, version };
};
const retry = { attempts: 2, delay: 0.1 };
builtin.triggers.onWebhook({ path: "in", handler, retry });
builtin.triggers.onWebhook({ path: "only-" + version, handler, retry });
`, failing, runTime.Milliseconds()),
	}
}

var versionLine = regexp.MustCompile(`^export const version = (\d+);\n$`)

// send deploys the next version and notes the answer.
func (d *deployments) send(t testing.TB, l *Load, c *apptest.Client, ending func() bool) {
	d.mu.Lock()
	d.sent++
	version := d.sent
	d.mu.Unlock()
	r, err := c.Try("POST", "/api/workflow-deployments", apptest.DeployBody(l.workflowID, files(version, l.options.RunTime)))
	if err != nil {
		if !ending() {
			t.Errorf("deployment of version %d: no answer from a server that should live: %v", version, err)
		}
		return
	}
	var made struct{ ID string }
	switch {
	case r.Status == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != "":
	case r.Status != http.StatusCreated || json.Unmarshal(r.Body, &made) != nil || made.ID == "":
		t.Errorf("deployment of version %d: %s, want 201", version, r)
	default:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.acknowledged[version] = made.ID
		d.latest = version
		d.unchecked = append(d.unchecked, version)
	}
}

// Redeployed waits until another deployment is acknowledged than those before:
// what disturbed the load is over, and the server takes new code again.
func (l *Load) Redeployed(t testing.TB) {
	t.Helper()
	before := l.deployments.count()
	apptest.Until(t, time.Minute, "another deployment to be accepted", func() bool { return l.deployments.count() > before })
}

func (d *deployments) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.acknowledged)
}

// shownDeployment is a deployment as the API shows it.
type shownDeployment struct {
	ID, Status string
	UserCode   struct{ Files map[string]string }
	Webhooks   []struct{ Method, Path string }
}

func readDeployment(t testing.TB, c *apptest.Client, id string) shownDeployment {
	t.Helper()
	r := c.Do(t, "GET", "/api/workflow-deployments/"+id, nil)
	var shown shownDeployment
	if err := json.Unmarshal(r.Body, &shown); err != nil || r.Status != http.StatusOK {
		t.Fatalf("deployment %s: %s (%v)", id, r, err)
	}
	return shown
}

// version returns which version was deployed and checks that all of it is
// there.
func (s shownDeployment) version(t testing.TB, runTime time.Duration) int {
	t.Helper()
	match := versionLine.FindStringSubmatch(s.UserCode.Files["version.ts"])
	if match == nil {
		t.Fatalf("deployment %s is of no version that was sent: %q", s.ID, s.UserCode.Files)
	}
	version, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files(version, runTime), s.UserCode.Files); diff != "" {
		t.Errorf("deployment %s is not what was sent as version %d (-want +got):\n%s", s.ID, version, diff)
	}
	return version
}

// check looks at every deployment that was acknowledged since the last check,
// and at the active one, which it returns. Nothing may be deployed meanwhile.
func (d *deployments) check(t testing.TB, l *Load, c *apptest.Client) (version int) {
	t.Helper()
	for _, version := range d.unchecked {
		if got := readDeployment(t, c, d.acknowledged[version]).version(t, l.options.RunTime); got != version {
			t.Errorf("the deployment acknowledged as version %d has the code of version %d", version, got)
		}
	}
	d.unchecked = nil

	shown := c.JSON(t, http.StatusOK, "GET", "/api/workflows/"+l.workflowID, nil)
	active, ok := shown["activeDeployment"].(map[string]any)
	if !ok {
		t.Fatalf("no deployment is active, and version %d was acknowledged", d.latest)
	}
	deployment := readDeployment(t, c, active["id"].(string))
	version = deployment.version(t, l.options.RunTime)
	if version < d.latest || version > d.sent {
		t.Errorf("version %d is active; want the last acknowledged, %d, or one that was sent later, up to %d", version, d.latest, d.sent)
	}
	if id, known := d.acknowledged[version]; known && id != deployment.ID {
		t.Errorf("version %d is deployment %s, and was acknowledged as %s", version, deployment.ID, id)
	}
	want := map[string]bool{"POST " + l.address("in"): true, "POST " + l.address(only(version)): true}
	got := map[string]bool{}
	for _, w := range deployment.Webhooks {
		got[w.Method+" "+w.Path] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("version %d has the addresses %v, want %v", version, got, want)
	}
	return version
}

// only is the path that one version alone has.
func only(version int) string { return fmt.Sprintf("only-%d", version) }
