package route

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

func TestRefusalsAreTold(t *testing.T) {
	t.Parallel()
	type told struct {
		Actor   audit.Actor
		Refusal Refusal
	}
	var all []told
	b := newBench(t, func(c *Config) {
		c.Refused = func(ctx context.Context, r Refusal) {
			if ctx.Err() != nil {
				t.Error("the context ended with the client's")
			}
			all = append(all, told{audit.ActorOf(ctx), r})
		}
	})
	Raw(b.Router, Spec{Method: "DELETE", Path: "/things/{id}", Aliases: []string{"/old/{id}"}, Policy: access.Requires(access.WriteWorkflow)}, things(),
		func(http.ResponseWriter, *http.Request, Call[thing]) error {
			return fault.New(fault.Denied, "not this one")
		})
	Raw(b.Router, Spec{Method: "GET", Path: "/admin", Policy: access.Admin(access.Administer), Page: true}, NoObject(), say("admin"))
	Raw(b.Router, Spec{Method: "GET", Path: "/open", Policy: open}, NoObject(),
		func(http.ResponseWriter, *http.Request, Call[None]) error { return fault.New(fault.Denied, "not open") })
	one, two := "/things/"+thing1.String(), "/things/"+thing2.String()
	actor := func(name string) audit.Actor {
		return audit.Actor{Kind: audit.KindServiceAccount, ID: id.ID{15: 99}, Name: name, Address: "192.0.2.1", RequestID: "made"}
	}
	for _, c := range []struct {
		name, method, path, who string
		want                    []told
	}{
		{"by the policy", "DELETE", one, "viewer", []told{{actor("viewer"), Refusal{Action: access.WriteWorkflow, Method: "DELETE", Pattern: "/things/{id}", OrganizationID: mine}}}},
		{"by a rule further in", "DELETE", "/old/" + thing1.String(), "member", []told{{actor("member"), Refusal{Action: access.WriteWorkflow, Method: "DELETE", Pattern: "/old/{id}", OrganizationID: mine}}}},
		{"no administrator", "GET", "/admin", "member", []told{{actor("member"), Refusal{Action: access.Administer, Method: "GET", Pattern: "/admin"}}}},
		{"not found", "DELETE", two, "member", nil},
		{"not known", "DELETE", one, "x", nil},
		{"anonymous", "GET", "/open", "", nil},
	} {
		all = nil
		b.ask(t, c.method, c.path, "", "Authorization: Bearer "+c.who)
		if diff := cmp.Diff(c.want, all, cmpopts.IgnoreFields(Refusal{}, "Reason")); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}

	// Who hangs up is not forgotten.
	all = nil
	gone, cancel := context.WithCancel(t.Context())
	r := b.request("DELETE", one, "Authorization: Bearer viewer").WithContext(gone)
	cancel()
	b.Handler().ServeHTTP(discard{}, r)
	if len(all) != 1 {
		t.Errorf("%d refusals were told, want 1", len(all))
	}
}

// discard is the side of a client that is gone.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
