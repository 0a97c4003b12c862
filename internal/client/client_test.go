package client

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNewRefusesAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:8080", "127.0.0.1", "ftp://host", "http://", "http://a b", "/api"} {
		_, err := New(address, "", http.DefaultClient)
		wantError(t, err, "is not the address of a server")
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	const stamp = "2026-05-01T10:00:00.123Z"
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		t.Fatal(err)
	}
	description, completed := "d", int64(12)
	for _, tc := range []struct {
		name, method, uri, answer string
		call                      func(context.Context, *Client) (any, error)
		want                      any
	}{
		{"Namespaces", "GET", "/api/namespaces", `{"results":[{"id":"n1","organization":{"id":"o1","displayName":"O"}}],"total":1}`,
			func(ctx context.Context, c *Client) (any, error) { return c.Namespaces(ctx) },
			[]Namespace{{ID: "n1", Organization: Organization{ID: "o1", DisplayName: "O"}}}},
		{"Workflow", "GET", "/api/workflows/a%2Fb", `{"id":"w1","name":"n","description":"d","namespaceId":"n1","active":true,"unknown":[]}`,
			func(ctx context.Context, c *Client) (any, error) { return c.Workflow(ctx, "a/b") },
			Workflow{ID: "w1", Name: "n", Description: &description, NamespaceID: "n1", Active: true}},
		{"Executions", "GET", "/api/executions/workflows/w1?limit=5&offset=10", `{"executions":[{"id":"e1","workflowId":"w1","status":"completed","receivedAt":"` + stamp + `","startedAt":null,"durationMs":12,"attempt":1}]}`,
			func(ctx context.Context, c *Client) (any, error) { return c.Executions(ctx, "w1", 5, 10) },
			[]Execution{{ID: "e1", WorkflowID: "w1", Status: "completed", ReceivedAt: at, DurationMS: &completed, Attempt: 1}}},
		{"Execution", "GET", "/api/executions/e1", `{"id":"e1","status":"started","receivedAt":"` + stamp + `","result":{"a":1}}`,
			func(ctx context.Context, c *Client) (any, error) { return c.Execution(ctx, "e1") },
			Execution{ID: "e1", Status: "started", ReceivedAt: at, Result: []byte(`{"a":1}`)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != tc.method || r.RequestURI != tc.uri {
					t.Errorf("asked for %s %s, want %s %s", r.Method, r.RequestURI, tc.method, tc.uri)
				}
				if got := r.Header.Get("Authorization"); got != "Bearer k" {
					t.Errorf("Authorization is %q", got)
				}
				answer(w, http.StatusOK, tc.answer)
			}))
			got, err := tc.call(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBaseWithPath(t *testing.T) {
	t.Parallel()
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/floww/api/namespaces" {
			t.Errorf("asked for %s", r.URL)
		}
		answer(w, http.StatusOK, `{"results":[]}`)
	}))
	c.base = c.base.JoinPath("/floww/")
	if _, err := c.Namespaces(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   []string
	}{
		{"detail", 400, `{"detail":"main.ts:1:2: wrong","error":"x"}`, []string{"main.ts:1:2: wrong"}},
		{"error alone", 403, `{"error":"Access denied"}`, []string{"Access denied"}},
		{"message alone", 400, `{"message":"no"}`, []string{"no"}},
		{"failed triggers", 400, `{"detail":{"message":"Failed to create one or more triggers","failed_triggers":[{"providerType":"builtin","triggerType":"onWebhook","error":"the path is taken"}]},"error":"x"}`,
			[]string{"Failed to create one or more triggers\n  builtin onWebhook: the path is taken"}},
		{"title and description", 402, `{"detail":{"title":"Limit","description":"You have 3 workflows"}}`, []string{"You have 3 workflows"}},
		{"parts", 400, `{"detail":"validation failed","errors":[{"location":"body.name","message":"must not be empty"}]}`, []string{"validation failed\n  body.name: must not be empty"}},
		{"parts that the text has", 400, `{"detail":"a.ts:1:1: bad","errors":[{"location":"body.code","message":"bad"}]}`, []string{"a.ts:1:1: bad"}},
		{"key that is not accepted", 401, `{"detail":"Invalid API key"}`, []string{"does not accept the API key (Invalid API key)", "flowwd apikey create", "FLOWW_TOKEN"}},
		{"conflict", 409, `{"detail":"another deployment came first; deploy again"}`, []string{"another deployment came first; deploy again"}},
		{"not flowwd", 502, `<html>Bad Gateway</html>`, []string{"/api/namespaces was answered with 502 Bad Gateway", "check the address"}},
		{"no text", 404, `{}`, []string{"was answered with 404 Not Found"}},
		{"success that is not flowwd", 200, `<html>`, []string{"was answered with 200 OK", "check the address"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := serve(t, answers(tc.status, tc.body)).Namespaces(t.Context())
			wantError(t, err, tc.want...)
			if !hasStatus(err, tc.status) {
				t.Errorf("the error has not the status %d", tc.status)
			}
		})
	}
}

func TestMissingKey(t *testing.T) {
	t.Parallel()
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, has := r.Header["Authorization"]; has {
			t.Error("an empty key was sent")
		}
		answer(w, http.StatusUnauthorized, `{"detail":"No credentials provided"}`)
	}))
	c.token = ""
	_, err := c.Namespaces(t.Context())
	wantError(t, err, "no API key was given", "flowwd apikey create")
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	namespaces := func(base string) error {
		c, err := New(base, "k", &http.Client{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Namespaces(t.Context())
		return err
	}
	wantError(t, namespaces("http://"+address), "nothing answers at http://"+address, "is the server running?")
	wantError(t, namespaces("http://name.invalid"), `there is no host "name.invalid"`)

	plain := serve(t, answers(200, "{}"))
	wantError(t, namespaces("https://"+plain.base.Host), "does not speak TLS", "http://")
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	if _, err := c.Namespaces(ctx); err != context.Canceled {
		t.Errorf("error %v, want that of the context alone", err)
	}
}
