package apptest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// Whoever arrives without a workflow gets one that runs by one click, in an
// organization of their own alone.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.AdminEmail, c.AdminPassword = apptest.AdminLogin, apptest.AdminPassword
	}})
	theirs := s.OtherTenant(t).Namespace(t)
	b := apptest.NewBrowser(t, s.URL)
	if r := b.Get(t, "/", "Accept", "text/html"); r.Status != 307 || r.Location(t) != "/auth/login?next=%2F" {
		t.Errorf("GET / without a login: %s", r)
	}
	b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	if r := b.Get(t, "/"); r.Status != 302 || r.Location(t) != "/workflows" {
		t.Errorf("GET /: %s", r)
	}
	page := b.Get(t, "/workflows")
	wantText(t, page, "Try the hello example", "flowwd deploy . --server "+s.URL, `value="`+b.Namespace(t)+`"`)

	for name, namespace := range map[string]string{"none": "", "no id": "x", "another tenant's": theirs} {
		r := b.Post(t, "/examples/hello", map[string]string{"namespace": namespace})
		if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "Say in which organization") {
			t.Errorf("the namespace is %s: %s", name, r)
		}
	}
	if r := b.Post(t, "/examples/hello", map[string]string{"namespace": b.Namespace(t)}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); r.Status != http.StatusForbidden {
		t.Errorf("another site asks for the example: %s", r)
	}
	made := b.Post(t, "/examples/hello", map[string]string{"namespace": b.Namespace(t)}).Location(t)
	id := strings.TrimPrefix(made, "/workflows/")
	page = b.Get(t, made)
	wantText(t, page, "hello", "It has not run yet", "curl -X POST "+s.URL+"/webhook/"+id+"/hello")
	if r := b.Anonymous().Do(t, "POST", "/webhook/"+id+"/hello", `{"name": "Ada"}`, "Content-Type", "application/json"); r.Status != http.StatusOK {
		t.Fatalf("call the example: %s", r)
	} else {
		b.Ended(t, r.Header.Get("X-Floww-Execution-Id"))
	}
	page = b.Get(t, made)
	wantText(t, page, "Hello, Ada!", "completed")
	if r := b.Post(t, "/examples/hello", map[string]string{"namespace": b.Namespace(t)}); r.Status != http.StatusConflict || !strings.Contains(string(r.Body), "A workflow with this name already exists") {
		t.Errorf("the example a second time: %s", r)
	}
}

// wantText fails the test unless a page is there and has all texts.
func wantText(t *testing.T, r apptest.Response, texts ...string) {
	t.Helper()
	if r.Status != http.StatusOK {
		t.Errorf("the page is answered %.2000s", r)
	}
	for _, text := range texts {
		if !strings.Contains(string(r.Body), text) {
			t.Errorf("the page has no %q", text)
		}
	}
}
