package apptest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// told is a notice of failures that arrived.
type told struct {
	header http.Header
	body   []byte
	Type   string
	Text   string
	Data   struct {
		WorkflowID string
		Failures   int
		Execution  struct{ ID, Status, Error, URL string }
	}
}

// hearing is a receiver of notices that refuses so many of them.
type hearing struct {
	*httptest.Server
	// pass moves the server's clock, outcome is what it shows of the last try and
	// stored what that was before.
	pass    func(time.Duration)
	outcome func() string
	stored  string
	refuse  atomic.Int32
	mu      sync.Mutex
	all     []told
}

func hear(t *testing.T) *hearing {
	t.Helper()
	h := &hearing{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var got told
		var err error
		if got.body, err = io.ReadAll(r.Body); err == nil {
			err = json.Unmarshal(got.body, &got)
		}
		if err != nil {
			t.Errorf("a notice is no JSON: %v", err)
		}
		got.header = r.Header
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, got)
		if left := h.refuse.Add(-1); left >= 0 {
			w.WriteHeader(http.StatusInternalServerError + int(left)) // each its own outcome
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hearing) heard() []told {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]told(nil), h.all...)
}

// haste is how much further the server's clock goes with each look.
const haste = 25 * time.Millisecond

// next waits for a notice after so many, which must be the only one, until what
// became of it is stored: before that, the clock moves past nothing.
func (h *hearing) next(t *testing.T, after int) told {
	t.Helper()
	apptest.Until(t, 30*time.Second, "a notice", func() bool {
		h.pass(haste)
		return len(h.heard()) > after
	})
	apptest.Until(t, 30*time.Second, "that it came is stored", func() bool {
		now := h.outcome()
		changed := now != h.stored
		h.stored = now
		return changed
	})
	if all := h.heard(); len(all) != after+1 {
		t.Fatalf("there are %d notices, want %d: %s", len(all), after+1, all[len(all)-1].body)
	}
	return h.heard()[after]
}

// signedWith reports whether a notice is signed as Standard Webhooks say.
func (n told) signedWith(t *testing.T, secret string) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatalf("the secret %q: %v", secret, err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", n.header.Get("webhook-id"), n.header.Get("webhook-timestamp"), n.body)
	return n.header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const failingCode = `import { Builtin, onFailure } from "floww";
onFailure((ctx, failure) => {
	if (failure.execution.error.includes("loop")) throw new Error("the handler fails too");
	return { n: failure.failures, of: failure.execution.id, dates: failure.since instanceof Date && failure.execution.endedAt instanceof Date, name: failure.workflowName };
});
new Builtin().triggers.onWebhook({ path: "in", retry: { attempts: 2, delay: 0.01 }, handler: async (ctx, event) => {
	if (ctx.attempt <= event.body.bad) throw new Error(event.body.why ?? "bad");
}});`

func TestFailureNotifications(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	pass := func(d time.Duration) { ahead.Add(int64(d)) }
	hook, box := hear(t), &mailbox{}
	hook.pass = pass
	address := box.serve(t)
	s := apptest.Start(t, apptest.Options{
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		Settings: func(c *config.Settings) {
			c.FetchAllow, c.SMTPURL, c.MailFrom = hook.Listener.Addr().String(), address, "Floww <floww@example.com>"
		},
	})
	d := s.Deploy(t, "failing", failingCode)
	path := "/api/workflows/" + d.WorkflowID + "/failure-notifications"
	set := s.JSON(t, http.StatusOK, "PATCH", path, map[string]any{"webhook_url": hook.URL + "/hidden", "email": "ops@example.com"})
	secret, _ := set["signingSecret"].(string)
	hook.outcome = func() string {
		shown := s.JSON(t, http.StatusOK, "GET", path, nil)["webhook"].(map[string]any)
		return fmt.Sprint(shown["lastSentAt"], shown["problem"])
	}
	again := s.JSON(t, http.StatusOK, "PATCH", path, map[string]any{"webhookUrl": hook.URL + "/hidden"})
	hook.stored = hook.outcome()
	if shown := string(mustJSON(t, s.JSON(t, http.StatusOK, "GET", path, nil))); again["signingSecret"] != nil || strings.Contains(shown, "hidden") || strings.Contains(shown, "whsec_") || !strings.Contains(shown, "ops@example.com") {
		t.Errorf("it shows %s, and again %v", shown, again)
	}

	// What a retry mends is no failure; the end of all attempts is one.
	d.Run(t, `{"bad":1}`)
	failed := d.Run(t, `{"bad":2}`)
	first := hook.next(t, 0)
	if !first.signedWith(t, secret) || first.Type != "workflow.failed" || first.Text != "failing failed: Error: bad" || first.Data.Failures != 1 || first.Data.WorkflowID != d.WorkflowID ||
		first.Data.Execution.ID != failed.ID || first.Data.Execution.URL != s.URL+"/api/executions/"+failed.ID {
		t.Errorf("the notice is %v %s", first.header, first.body)
	}
	handled := onlyHandled(t, s, d, 1)[0]
	wantResult(t, handled, `{"n":1,"of":"`+failed.ID+`","dates":true,"name":"failing"}`)
	apptest.Until(t, 30*time.Second, "a mail", func() bool { return len(box.all()) == 1 })
	if mail := box.all()[0]; !strings.Contains(mail, "To: <ops@example.com>") || !strings.Contains(mail, "Subject: failing failed") || !strings.Contains(mail, failed.ID) {
		t.Errorf("the mail is %s", mail)
	}

	// A storm is one notice more, which is sent until it is taken.
	hook.refuse.Store(2)
	for range 20 {
		d.Run(t, `{"bad":2}`)
	}
	pass(time.Minute)
	refused := hook.next(t, 1)
	pass(5 * time.Second)
	hook.next(t, 2)
	pass(30 * time.Second)
	taken := hook.next(t, 3)
	if refused.Data.Failures != 20 || taken.Data.Failures != 20 || taken.header.Get("webhook-id") != refused.header.Get("webhook-id") || refused.header.Get("webhook-id") == first.header.Get("webhook-id") || !taken.signedWith(t, secret) {
		t.Errorf("the notice of a storm came as %s and %s", refused.body, taken.body)
	}
	onlyHandled(t, s, d, 2)

	// The handler's own failure is told to people, and to itself never.
	pass(time.Hour)
	d.Run(t, `{"bad":2,"why":"loop"}`)
	hook.next(t, 4)
	pass(time.Hour)
	if own := hook.next(t, 5); own.Data.Failures != 1 || !strings.Contains(own.Text, "the handler fails too") {
		t.Errorf("the handler's failure is told as %s", own.body)
	}
	pass(time.Hour)
	onlyHandled(t, s, d, 3)

	// What workflows may not reach, notices don't reach either.
	s.JSON(t, http.StatusOK, "PATCH", path, map[string]any{"webhookUrl": "http://127.0.0.1:1/", "email": nil})
	d.Run(t, `{"bad":2}`)
	apptest.Until(t, 30*time.Second, "a refusal", func() bool {
		pass(haste)
		hook := s.JSON(t, http.StatusOK, "GET", path, nil)["webhook"].(map[string]any)
		return hook["problem"] != nil && strings.Contains(hook["problem"].(string), "must not be reached by workflows (loopback)")
	})
	for body, why := range map[string]string{
		`{"webhookUrl":"ftp://x.example/"}`: "http or https", `{"webhookUrl":"https://u:p@x.example/"}`: "without a user name", `{"webhookUrl":""}`: "http or https",
		`{"email":"a@x.example, b@x.example"}`: "one address", `{"email":"Bcc: a@x.example"}`: "one address", `{"email":""}`: "one address",
	} {
		if r := s.Do(t, "PATCH", path, body); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), why) {
			t.Errorf("%s: %s", body, r)
		}
	}
	if left := s.JSON(t, http.StatusOK, "PATCH", path, map[string]any{"webhookUrl": nil}); left["webhook"] != nil || left["email"] != nil {
		t.Errorf("after the removal: %v", left)
	}
	entries := string(mustJSON(t, s.JSON(t, http.StatusOK, "GET", "/api/organizations/"+s.Organization(t)+"/audit?action=workflow.failure_notifications", nil)))
	if !strings.Contains(entries, "ops@example.com") || strings.Contains(entries, "hidden") {
		t.Errorf("the audit log says %s", entries)
	}
}

// onlyHandled waits until the handler of failures has ended so many runs, and
// returns them, the newest first.
func onlyHandled(t *testing.T, s *apptest.Server, d *apptest.Deployed, want int) []apptest.Execution {
	t.Helper()
	var all []apptest.Execution
	apptest.Until(t, 30*time.Second, fmt.Sprintf("%d runs of the handler of failures", want), func() bool {
		all = nil
		for _, e := range executionsOf(t, s, d.WorkflowID) {
			if e["triggerType"] == "onFailure" && e["status"] != "received" && e["status"] != "started" {
				all = append(all, s.Execution(t, e["id"].(string)))
			}
		}
		return len(all) >= want
	})
	if len(all) != want {
		t.Fatalf("the handler of failures ran %d times, want %d", len(all), want)
	}
	return all
}

func TestOneHandlerOfFailures(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	r := s.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(s.CreateWorkflow(t, "two"), map[string]string{
		"main.ts": `import { onFailure } from "floww"; onFailure(() => {}); onFailure({ timeout: 5, handler: () => {} });`,
	}))
	if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "onFailure is declared more than once") {
		t.Errorf("two handlers of failures: %s", r)
	}
}
