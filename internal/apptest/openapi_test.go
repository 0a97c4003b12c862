package apptest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// These say how often every operation is asked by every principal, and with
// which values it begins.
var (
	apiRounds = flag.Int("api.rounds", 1, "how often TestDescribedOperations asks every operation as every principal")
	apiSeed   = flag.Int("api.seed", 1, "where the values of TestDescribedOperations begin")
)

// Every operation of the description is asked by everybody with values that are
// right, on the border and wrong. No answer is the server's own failure, every
// failure has its shape, and nobody is shown, or changes, what is another
// organization's.
func TestDescribedOperations(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t, func(o *apptest.Options) {
		plain := o.Settings
		o.Settings = func(c *config.Settings) {
			plain(c)
			c.TrustedProxies = []string{"127.0.0.1"}
		}
	})
	d := readDescription(t, s.Client)
	other := s.OtherTenant(t)
	ours := newEstate(t, s.Client, "kestrel")
	strangers := newEstate(t, other, "osprey")

	q := &questions{t: t, d: d, seed: *apiSeed}
	before := ours.look(t)
	for _, p := range []caller{
		{"anonymous", s.Anonymous(), nil},
		{"a key that is none", apptest.NewClient(t, s.URL, "floww_sa_"+strings.Repeat("x", 32)), nil},
		{"a token that nobody signed", apptest.NewClient(t, s.URL, "eyJhbGciOiJub25lIn0.e30."), nil},
		{"another organization's admin", other, strangers},
		{"another organization's viewer", other.RoleClient(t, "viewer").Client, strangers},
		{"another organization's narrow key", other.AccountKey(t, other.Account(t, "admin"), map[string]any{"scope": []string{"read"}}).Client, strangers},
	} {
		q.ask(p, ours)
	}
	if diff := cmp.Diff(before, ours.look(t)); diff != "" {
		t.Errorf("somebody else changed what is ours (-before +after):\n%s", diff)
	}

	theirs := newEstate(t, s.OtherTenant(t), "merlin")
	keys := narrowKeys(t, s, ours.ids["workflow"][0], s.CreateWorkflow(t, "kestrel too"))
	for _, p := range []caller{
		{"a viewer", s.RoleClient(t, "viewer").Client, nil},
		{"a key for reading", keys.read.Client, nil},
		{"a key for invoking", keys.invoke.Client, nil},
		{"a key for deploying", keys.deploy.Client, nil},
		{"a key for one workflow", keys.own.Client, nil},
		{"a key for another workflow", keys.other.Client, nil},
		{"a member", s.RoleClient(t, "member").Client, nil},
		{"an admin", s.RoleClient(t, "admin").Client, nil},
	} {
		p.own = ours
		q.ask(p, theirs)
		ours = newEstate(t, s.Client, "kestrel") // who may, has removed the last
	}
	q.anything = true
	q.ask(caller{"an administrator of the server", loggedIn(t, s).Client, ours}, theirs)
	t.Logf("%d requests, %d of them taken, %d refused", q.count, q.taken, q.count-q.taken)
	if q.taken < q.count/20 {
		t.Errorf("only %d of %d requests were taken: the values are all wrong", q.taken, q.count)
	}
}

type caller struct {
	name   string
	client *apptest.Client
	// own is what the caller may know; nil for nothing.
	own *estate
}

// estate is what an organization has, with its mark in all that it wrote.
type estate struct {
	client *apptest.Client
	mark   string
	// ids are its objects, by what the paths of the API name.
	ids map[string][]string
}

func newEstate(t *testing.T, c *apptest.Client, mark string) *estate {
	t.Helper()
	d := c.Deploy(t, mark+" "+fmt.Sprint(time.Now().UnixNano()), apptest.Handler(fmt.Sprintf("console.log(%q); return %q", mark+" line", mark)))
	e := d.Run(t, fmt.Sprintf("%q", mark))
	organization, namespace := c.Organization(t), c.Namespace(t)
	account := c.JSON(t, http.StatusOK, "POST", "/api/service_accounts", map[string]any{"name": mark, "organization_id": organization, "role": "member"})["id"].(string)
	ids := map[string][]string{
		"organization": {organization}, "namespace": {namespace}, "workflow": {d.WorkflowID}, "deployment": {d.DeploymentID}, "execution": {e.ID},
		"account": {account}, "key": {c.AccountKey(t, account, map[string]any{"name": mark}).ID},
		"secret":  {storeSecret(t, c, mark, d.WorkflowID, mark)},
		"folder":  {makeFolder(t, c, mark+d.WorkflowID, "")},
		"session": {syncDev(t, c, d.WorkflowID)["session"].(map[string]any)["id"].(string)},
		"batch":   {c.JSON(t, http.StatusAccepted, "POST", "/api/executions/workflows/"+d.WorkflowID+"/batches", map[string]any{"action": "cancel"})["id"].(string)},
	}
	for _, trigger := range results(c.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)) {
		ids["trigger"] = append(ids["trigger"], trigger["id"].(string))
	}
	c.JSON(t, http.StatusOK, "PATCH", "/api/organizations/"+organization, map[string]any{"displayName": mark})
	return &estate{client: c, mark: mark, ids: ids}
}

// look returns what the organization has, as it sees it itself.
func (e *estate) look(t *testing.T) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for _, path := range []string{
		"/api/workflows", "/api/workflows/" + e.ids["workflow"][0], "/api/workflow-deployments?workflowId=" + e.ids["workflow"][0], "/api/executions", "/api/folders?namespaceId=" + e.ids["namespace"][0],
		"/api/secrets?namespaceId=" + e.ids["namespace"][0], "/api/service_accounts?organizationId=" + e.ids["organization"][0], "/api/organizations/" + e.ids["organization"][0],
		"/api/organizations/" + e.ids["organization"][0] + "/members", "/api/kv/default?namespaceId=" + e.ids["namespace"][0], "/api/dev/sessions?workflowId=" + e.ids["workflow"][0],
		"/api/runtimes", "/api/triggers?workflowId=" + e.ids["workflow"][0], "/api/executions/" + e.ids["execution"][0] + "/logs",
	} {
		r := e.client.Do(t, "GET", path, nil)
		if r.Status != http.StatusOK {
			t.Fatalf("GET %s: %s", path, r)
		}
		seen[path] = string(r.Body)
	}
	return seen
}

// questions asks, and judges the answers.
type questions struct {
	t            *testing.T
	d            description
	seed         int
	count, taken int
	// anything says that the caller may see whatever there is.
	anything bool
}

// ask asks every operation as somebody. What is the other's must not be shown.
func (q *questions) ask(p caller, other *estate) {
	q.t.Helper()
	estates := []*estate{other}
	if p.own != nil {
		estates = append(estates, p.own, p.own)
	}
	for range *apiRounds {
		for _, o := range q.d.operations {
			q.seed++
			r := o.request(estates).Example(q.seed)
			from := netip.AddrFrom4([4]byte{198, 18, byte(q.count >> 8), byte(q.count)}).String() // else wrong keys are no longer looked at
			headers := append(slices.Clone(r.headers), "X-Forwarded-For", from)
			answer, err := p.client.Try(o.method, r.path, r.body, headers...)
			q.count++
			if err != nil {
				q.t.Errorf("%s, seed %d: %s %s: %v", p.name, q.seed, o.method, r.path, err)
				continue
			}
			if answer.Status < http.StatusBadRequest {
				q.taken++
			}
			if wrong := q.wrong(o, r, answer, other); wrong != "" {
				q.t.Errorf("%s, seed %d: %s\n%s %s\n%.1000s\n%s", p.name, q.seed, wrong, o.method, r.path, r.body, answer)
			}
		}
	}
}

// wrong says what must not be in an answer; empty when all is well.
func (q *questions) wrong(o operation, r request, answer apptest.Response, other *estate) string {
	if answer.Status >= http.StatusInternalServerError {
		return "the server failed"
	}
	if answer.Status >= http.StatusBadRequest {
		if wrong := wrongProblem(o, answer); wrong != "" {
			return wrong
		}
	}
	if q.anything {
		return ""
	}
	shown := strings.ToLower(string(answer.Body) + fmt.Sprint(answer.Header))
	if strings.Contains(shown, other.mark) {
		return "it shows what is another organization's"
	}
	asked := strings.ToLower(r.path + fmt.Sprint(r.body))
	for kind, ids := range other.ids {
		for _, x := range ids {
			if strings.Contains(shown, x) && !strings.Contains(asked, x) {
				return "it names the " + kind + " " + x + " of another organization"
			}
		}
	}
	return ""
}

// wrongProblem says what is wrong with the body of a failure.
func wrongProblem(o operation, answer apptest.Response) string {
	var p struct {
		Type, Title, Error string
		Status             int
		Detail             any
	}
	if err := json.Unmarshal(answer.Body, &p); err != nil || p.Error == "" {
		return fmt.Sprintf("the failure has no error (%v)", err)
	}
	if strings.HasPrefix(o.path, "/auth/") {
		return "" // RFC 6749 has the shape of these
	}
	if p.Type != "about:blank" || p.Title == "" || p.Status != answer.Status || p.Detail == nil {
		return "the failure has another shape"
	}
	return ""
}
