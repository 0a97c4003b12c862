package route

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
)

func TestStartFailsOnABadRoute(t *testing.T) {
	t.Parallel()
	public, member := access.Public(access.ReadHealth), access.Requires(access.ReadWorkflow)
	nothing := say("")
	type box = Call[thing]
	withThing := func(http.ResponseWriter, *http.Request, box) error { return nil }
	incomplete := things()
	incomplete.Resource = nil

	for name, c := range map[string]struct {
		register func(*Router)
		why      string
	}{
		"no policy": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a"}, NoObject(), nothing)
		}, "it has no policy"},
		"unknown method": {func(r *Router) {
			Raw(r, Spec{Method: "get", Path: "/a", Policy: public}, NoObject(), nothing)
		}, "the method must be one of GET"},
		"twice": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a", Policy: public}, NoObject(), nothing)
			Raw(r, Spec{Method: "GET", Path: "/a", Policy: member}, NoObject(), nothing)
		}, "registered already"},
		"alias twice": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a", Aliases: []string{"/a"}, Policy: public}, NoObject(), nothing)
		}, "registered already"},
		"bad path": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "a", Policy: public}, NoObject(), nothing)
		}, "a path begins with /"},
		"an id that nobody loads": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a/{id}", Policy: member}, NoObject(), nothing)
		}, "names something that is not loaded"},
		"a second id that nobody loads": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a/{id}/{other}", Policy: member}, things(), withThing)
		}, "names something that is not loaded"},
		"an object that no path names": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a", Policy: member}, things(), withThing)
		}, "has no {id}"},
		"an alias without the object": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a/{id}", Aliases: []string{"/b"}, Policy: member}, things(), withThing)
		}, "/b has no {id}"},
		"an object for everybody": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a/{id}", Policy: public}, things(), withThing)
		}, "only for a principal"},
		"an object without owner": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a/{id}", Policy: member}, incomplete, withThing)
		}, "needs What, Param and Resource"},
		"negative limit": {func(r *Router) {
			Raw(r, Spec{Method: "GET", Path: "/a", Policy: public, BodyLimit: -1}, NoObject(), nothing)
		}, "must not be negative"},
		"types that huma refuses": {func(r *Router) {
			Operation(r, Spec{Method: "POST", Path: "/a", Policy: public, OperationID: "a"}, NoObject(),
				func(context.Context, Call[None], *int) (*struct{}, error) { return nil, nil })
		}, "route POST /a: input must be a struct"},
		"a name that is taken": {func(r *Router) {
			for _, path := range []string{"/a", "/b"} {
				Raw(r, Spec{Method: "GET", Path: path, Policy: public, OperationID: "same"}, NoObject(), nothing)
			}
		}, "route GET /b: duplicate operation ID: same"},
		"an operation without policy": {func(r *Router) {
			Operation(r, Spec{Method: "GET", Path: "/a"}, NoObject(),
				func(context.Context, Call[None], *struct{}) (*struct{}, error) { return nil, nil })
		}, "it has no policy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			c.register(b.Router)
			if err := b.Err(); err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, want an error with %q", err, c.why)
			}
		})
	}
	if New(Config{}).Err() == nil {
		t.Error("an empty Config is taken")
	}
}

func TestARefusedRouteIsNotServed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	Raw(b.Router, Spec{Method: "GET", Path: "/a"}, NoObject(), say("open"))
	if m := b.tree.find("GET", "/a"); m.leaf != nil {
		t.Error("a route without policy can be reached")
	}
}

func TestRoutesListsAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	Raw(b.Router, Spec{Method: "POST", Path: "/b", Policy: access.Public(access.ReceiveWebhook), Body: true, BodyLimit: 7}, NoObject(), say(""))
	Raw(b.Router, Spec{Method: "GET", Path: "/b", Policy: access.Operator(access.ReadMeasurements), Stream: true}, NoObject(), say(""))
	Operation(b.Router, Spec{Method: "PATCH", Path: "/a/{id}", Aliases: []string{"/A/{id}"}, Policy: access.Requires(access.WriteWorkflow), OperationID: "change"}, things(),
		func(context.Context, Call[thing], *struct{ Body struct{} }) (*struct{}, error) { return nil, nil })
	want := []string{
		"PATCH /A/{id}: requires workflow.write, Thing, 1048576, stream false",
		"PATCH /a/{id}: requires workflow.write, Thing, 1048576, stream false",
		"GET /b: operator measurements.read, , 0, stream true",
		"POST /b: public webhook.receive, , 7, stream false",
	}
	var got []string
	for _, i := range b.Routes() {
		got = append(got, fmt.Sprintf("%s %s: %s, %s, %d, stream %t", i.Method, i.Path, i.Policy, i.Object, i.BodyLimit, i.Stream))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestServerHoldsTheLimits(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Limits = Limits{Header: 1000, Upload: time.Hour, Timeout: time.Minute} })
	Raw(b.Router, Spec{Method: "GET", Path: "/slow", Policy: access.Public(access.ReadHealth), Timeout: 2 * time.Hour}, NoObject(), say(""))
	s := b.Server()
	if s.MaxHeaderBytes != 1000 || s.ReadTimeout != time.Hour || s.ReadHeaderTimeout == 0 || s.IdleTimeout == 0 {
		t.Errorf("limits are missing: %+v", s)
	}
	if s.WriteTimeout <= 3*time.Hour {
		t.Errorf("WriteTimeout %s cuts the slowest route", s.WriteTimeout)
	}
}

func TestObjectIsLoadedAndAllowed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	Raw(b.Router, Spec{Method: "GET", Path: "/things/{id}", Policy: access.Requires(access.ReadWorkflow)}, things(),
		func(w http.ResponseWriter, _ *http.Request, c Call[thing]) error {
			return WriteJSON(w, 200, map[string]any{"id": c.Object.ID, "who": c.Principal.Name, "pattern": c.Pattern, "param": c.Param("id"), "other": c.Param("other")})
		})
	Raw(b.Router, Spec{Method: "DELETE", Path: "/things/{id}", Policy: access.Requires(access.WriteWorkflow)}, things(),
		func(w http.ResponseWriter, _ *http.Request, _ Call[thing]) error { return WriteJSON(w, 200, "gone") })
	Raw(b.Router, Spec{Method: "POST", Path: "/things", Policy: access.Requires(access.WriteWorkflow)}, NoObject(), say("made"))

	one, other := "/things/"+thing1.String(), "/things/"+thing2.String()
	for _, c := range []struct {
		name, method, path, key string
		status                  int
		error                   string
	}{
		{"member reads", "GET", one, "member", 200, ""},
		{"viewer reads", "GET", one, "viewer", 200, ""},
		{"member deletes", "DELETE", one, "member", 200, ""},
		{"viewer may not delete", "DELETE", one, "viewer", 403, "your role in this organization (viewer) does not allow workflow.write"},
		{"member creates", "POST", "/things", "member", 200, ""},
		{"viewer may not create", "POST", "/things", "viewer", 403, "you are in no organization where your role allows workflow.write"},
		{"foreign object", "GET", other, "member", 404, "Thing not found"},
		{"foreign object by its owner", "GET", other, "stranger", 200, ""},
		{"stranger", "DELETE", one, "stranger", 404, "Thing not found"},
		{"unknown id", "GET", "/things/" + id.ID{1}.String(), "member", 404, "Thing not found"},
		{"no id", "GET", "/things/x", "member", 404, "Thing not found"},
		{"no id with a slash", "GET", "/things/x%2Fy", "member", 404, "Thing not found"},
		{"upper case id", "GET", "/things/" + strings.ToUpper(thing1.String()), "member", 200, ""},
		{"no credential", "GET", one, "", 401, "No credentials provided"},
		{"no credential, no id", "GET", "/things/x", "", 401, "No credentials provided"},
		{"wrong credential", "GET", one, "wrong", 401, "Invalid API key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if c.key != "" {
				headers = []string{"Authorization: Bearer " + c.key}
			}
			a := b.ask(t, c.method, c.path, "", headers...)
			wantStatus(t, a, c.status)
			if c.status == 200 {
				return
			}
			p := a.problem(t)
			if p["error"] != c.error || p["detail"] != c.error {
				t.Errorf("got %v, want %q", p, c.error)
			}
			if got := a.header.Get("WWW-Authenticate"); (got == "Bearer") != (c.status == 401) {
				t.Errorf("WWW-Authenticate: %q", got)
			}
		})
	}
	a := b.ask(t, "GET", one, "", "Authorization: Bearer member")
	want := `{"id":"` + thing1.String() + `","other":"","param":"` + thing1.String() + `","pattern":"/things/{id}","who":"member"}` + "\n"
	if a.text != want {
		t.Errorf("got %s, want %s", a.text, want)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	Raw(b.Router, Spec{Method: "GET", Path: "/a", Policy: access.Self(access.ReadWhoami)}, NoObject(), say("in"))
	for _, c := range []struct {
		header string
		status int
		error  string
	}{
		{"Bearer member", 200, ""},
		{"bearer member", 200, ""},
		{"BEARER   member  ", 200, ""},
		{"Bearer", 401, "No credentials provided"},
		{"Bearer ", 401, "No credentials provided"},
		{"Basic bWVtYmVyOg==", 401, "No credentials provided"},
		{"member", 401, "No credentials provided"},
		{"", 401, "No credentials provided"},
		{"Bearer other", 401, "Invalid API key"},
		{"Bearer operator", 401, "Invalid API key"},
		{"Bearer outage", 500, ""},
	} {
		t.Run(c.header, func(t *testing.T) {
			t.Parallel()
			a := b.ask(t, "GET", "/a", "", "Authorization: "+c.header)
			wantStatus(t, a, c.status)
			if c.error != "" && a.problem(t)["error"] != c.error {
				t.Errorf("got %s", a.text)
			}
		})
	}
}

func TestOperatorRule(t *testing.T) {
	t.Parallel()
	const local, remote = "127.0.0.1:5", "192.0.2.1:5"
	for _, c := range []struct {
		name, peer string
		headers    []string
		token      string
		status     int
	}{
		{"same machine", local, nil, "operator", 200},
		{"same machine, IPv6", "[::1]:5", nil, "operator", 200},
		{"same machine, mapped", "[::ffff:127.0.0.2]:5", nil, "operator", 200},
		{"same machine, wrong token", local, []string{"Authorization: Bearer x"}, "operator", 200},
		{"elsewhere", remote, nil, "operator", 401},
		{"no address", "@", nil, "operator", 401},
		{"elsewhere with token", remote, []string{"Authorization: Bearer operator"}, "operator", 200},
		{"elsewhere with wrong token", remote, []string{"Authorization: Bearer operato"}, "operator", 401},
		{"elsewhere with a member's key", remote, []string{"Authorization: Bearer member"}, "operator", 401},
		{"no token set", remote, []string{"Authorization: Bearer "}, "", 401},
		{"no token set, none given", remote, nil, "", 401},
		{"proxy: Forwarded", local, []string{"Forwarded: for=1.2.3.4"}, "operator", 401},
		{"proxy: X-Forwarded-For", local, []string{"X-Forwarded-For: 1.2.3.4"}, "operator", 401},
		{"proxy: X-Forwarded-Proto", local, []string{"X-Forwarded-Proto: https"}, "operator", 401},
		{"proxy: Via", local, []string{"Via: 1.1 x"}, "operator", 401},
		{"proxy: X-Real-IP", local, []string{"X-Real-IP: 1.2.3.4"}, "operator", 401},
		{"proxy with token", local, []string{"Via: 1.1 x", "Authorization: Bearer operator"}, "operator", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(config *Config) { config.OperatorToken = c.token })
			Raw(b.Router, Spec{Method: "GET", Path: "/m", Policy: access.Operator(access.ReadMeasurements)}, NoObject(), say("1"))
			a := b.askFrom(t, c.peer, "GET", "/m", c.headers...)
			wantStatus(t, a, c.status)
		})
	}
}
