package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
)

var open = access.Public(access.ReadHealth)

func TestPathsWithoutRedirects(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/", "root")
	b.get("/a/b", "ab")
	b.get("/hook/{path...}", "hook")
	for _, c := range []struct {
		target string
		status int
		text   string
	}{
		{"/", 200, "root"},
		{"/a/b", 200, "ab"},
		{"/a/b/", 200, "ab"},
		{"/a/b?x=1", 200, "ab"},
		{"/a/b/?x=1", 200, "ab"},
		{"/hook", 200, "hook"},
		{"/hook/", 200, "hook"},
		{"/hook/x/y/", 200, "hook"},
		{"//", 404, ""},
		{"/a/b//", 404, ""},
		{"/a//b", 404, ""},
		{"/a/./b", 404, ""},
		{"/a/../a/b", 404, ""},
		{"/a", 404, ""},
		{"/A/b", 404, ""},
		{"/hook//x", 404, ""},
	} {
		t.Run(c.target, func(t *testing.T) {
			t.Parallel()
			a := b.ask(t, "GET", "http://host"+c.target, "")
			wantStatus(t, a, c.status)
			if c.status == 200 {
				if a.text != c.text {
					t.Errorf("got %q, want %q", a.text, c.text)
				}
				return
			}
			if p := a.problem(t); !strings.Contains(p["error"].(string), DescriptionPath) {
				t.Errorf("the answer does not say where the description is: %s", a.text)
			}
		})
	}
}

func TestWrongMethod(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/a", "a")
	Raw(b.Router, Spec{Method: "DELETE", Path: "/{x}", Policy: open}, NoObject(), say(""))
	a := b.ask(t, "POST", "/a", "")
	wantStatus(t, a, 405)
	if got := a.header.Get("Allow"); got != "DELETE, GET, HEAD" {
		t.Errorf("Allow: %q", got)
	}
	if p := a.problem(t); p["title"] != "Method Not Allowed" || p["status"] != 405.0 || p["detail"] != p["error"] {
		t.Errorf("got %v", p)
	}
	wantStatus(t, b.ask(t, "HEAD", "/a", ""), 200)
	wantStatus(t, b.ask(t, "OPTIONS", "/a", ""), 405)
	wantStatus(t, b.ask(t, "BREW", "/a", ""), 405)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	plain := func(k fault.Kind) error { return fmt.Errorf("doing: %w", fault.New(k, "because")) }
	fields := fault.New(fault.Invalid, "bad")
	fields.Fields = []fault.Field{{Location: "body.name", Message: "too long"}, {Message: "no place"}}
	detail := fault.New(fault.Invalid, "several failed")
	detail.Detail = map[string]any{"failed_triggers": []string{"a"}}
	soon := fault.New(fault.Limited, "slowly")
	soon.RetryAfter = 1500 * time.Millisecond
	hidden := fault.Because(errors.New("secret reason"), fault.NotFound, "Thing not found")

	for name, c := range map[string]struct {
		err    error
		status int
		header map[string]string
		body   string
	}{
		"invalid":           {plain(fault.Invalid), 400, nil, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"because","error":"because"}`},
		"unauthenticated":   {plain(fault.Unauthenticated), 401, map[string]string{"WWW-Authenticate": "Bearer"}, `{"type":"about:blank","title":"Unauthorized","status":401,"detail":"because","error":"because"}`},
		"denied":            {plain(fault.Denied), 403, nil, `{"type":"about:blank","title":"Forbidden","status":403,"detail":"because","error":"because"}`},
		"not found":         {plain(fault.NotFound), 404, nil, `{"type":"about:blank","title":"Not Found","status":404,"detail":"because","error":"because"}`},
		"conflict":          {plain(fault.Conflict), 409, nil, `{"type":"about:blank","title":"Conflict","status":409,"detail":"because","error":"because"}`},
		"too large":         {plain(fault.TooLarge), 413, nil, `{"type":"about:blank","title":"Request Entity Too Large","status":413,"detail":"because","error":"because"}`},
		"limited":           {plain(fault.Limited), 429, map[string]string{"Retry-After": "1"}, `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"because","error":"because"}`},
		"limited, known":    {soon, 429, map[string]string{"Retry-After": "2"}, `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"slowly","error":"slowly"}`},
		"unavailable":       {plain(fault.Unavailable), 503, map[string]string{"Retry-After": "5"}, `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"because","error":"because"}`},
		"fields":            {fields, 400, nil, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"bad","error":"bad","errors":[{"location":"body.name","message":"too long"},{"message":"no place"}]}`},
		"detail":            {detail, 400, nil, `{"type":"about:blank","title":"Bad Request","status":400,"detail":{"failed_triggers":["a"]},"error":"several failed","message":"several failed"}`},
		"cause is hidden":   {hidden, 404, nil, `{"type":"about:blank","title":"Not Found","status":404,"detail":"Thing not found","error":"Thing not found"}`},
		"internal":          {errors.New("secret reason"), 500, nil, internalBody},
		"internal fault":    {fault.New(fault.Internal, "secret reason"), 500, nil, internalBody},
		"html is no entity": {fault.New(fault.Invalid, "<b> & \"x\""), 400, nil, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"<b> & \"x\"","error":"<b> & \"x\""}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			Raw(b.Router, Spec{Method: "GET", Path: "/a", Policy: open}, NoObject(),
				func(http.ResponseWriter, *http.Request, Call[None]) error { return c.err })
			a := b.ask(t, "GET", "/a", "")
			wantStatus(t, a, c.status)
			if diff := cmp.Diff(c.body+"\n", a.text); diff != "" {
				t.Error(diff)
			}
			if got := a.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type: %q", got)
			}
			for _, name := range []string{"WWW-Authenticate", "Retry-After"} {
				if got := a.header.Get(name); got != c.header[name] {
					t.Errorf("%s: %q, want %q", name, got, c.header[name])
				}
			}
			logged := strings.Count(b.log.String(), "secret reason")
			if want := map[bool]int{true: 1}[c.status == 500]; logged != want && name != "cause is hidden" {
				t.Errorf("the reason is logged %d times, want %d:\n%s", logged, want, b.log)
			}
			if c.status == 500 && !strings.Contains(b.log.String(), `"requestId":"made","route":"/a","error"`) {
				t.Errorf("the log does not name the request:\n%s", b.log)
			}
		})
	}
}

const internalBody = `{"type":"about:blank","title":"Internal Server Error","status":500,` +
	`"detail":"Something went wrong on the server; its log has the reason under request id made",` +
	`"error":"Something went wrong on the server; its log has the reason under request id made","requestId":"made"}`

func TestRequestIDAndHeaders(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	Raw(b.Router, Spec{Method: "GET", Path: "/a", Policy: open}, NoObject(), func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
		return WriteJSON(w, 200, RequestID(r.Context()))
	})
	for given, want := range map[string]string{
		"":                      "made",
		"abc-1.2_X":             "abc-1.2_X",
		strings.Repeat("a", 64): strings.Repeat("a", 64),
		strings.Repeat("a", 65): "made",
		"a b":                   "made",
		"a\"b":                  "made",
		"é":                     "made",
	} {
		a := b.ask(t, "GET", "/a", "", RequestIDHeader+": "+given)
		wantStatus(t, a, 200)
		if got := a.header.Get(RequestIDHeader); got != want || a.text != `"`+want+`"`+"\n" {
			t.Errorf("%q became %q, and %s in the handler; want %q", given, got, a.text, want)
		}
		if a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Error("nosniff is missing")
		}
	}
	if RequestID(context.Background()) != "" {
		t.Error("there is a request id outside of a request")
	}
}

func TestAccessLineAndMeasurements(t *testing.T) {
	t.Parallel()
	type seen struct {
		Pattern, Method string
		Status          int
	}
	var all []seen
	now := time.Unix(0, 0)
	b := newBench(t, func(c *Config) {
		c.Observe = func(pattern, method string, status int, took time.Duration) {
			if took != time.Second {
				t.Errorf("took %s", took)
			}
			all = append(all, seen{pattern, method, status})
		}
		c.Now = func() time.Time { now = now.Add(time.Second); return now }
	})
	Raw(b.Router, Spec{Method: "GET", Path: "/quiet", Policy: open, Quiet: true}, NoObject(),
		func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
			if r.URL.RawQuery != "" {
				return fault.New(fault.Unavailable, "no")
			}
			w.WriteHeader(http.StatusNoContent)
			return nil
		})
	Raw(b.Router, Spec{Method: "GET", Path: "/things/{id}", Policy: access.Requires(access.ReadWorkflow)}, things(),
		func(w http.ResponseWriter, _ *http.Request, _ Call[thing]) error {
			return WriteBody(w, 200, "text/plain", []byte("12345"))
		})
	b.ask(t, "GET", "/quiet", "")
	b.ask(t, "GET", "/quiet?fail", "")
	b.ask(t, "GET", "/things/"+thing1.String(), "", "Authorization: Bearer member")
	b.ask(t, "GET", "/secret-address", "")
	b.ask(t, "HACK", "/quiet", "")
	want := []seen{{"/quiet", "GET", 204}, {"/quiet", "GET", 503}, {"/things/{id}", "GET", 200}, {"unmatched", "GET", 404}, {"unmatched", "other", 405}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	var lines []string
	for line := range strings.Lines(b.log.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l["status"].(float64) >= 400 {
			l["bytes"] = "?"
		}
		lines = append(lines, fmt.Sprintf("%v %v %v %v %v took=%v bytes=%v id=%v by=%v",
			l["level"], l["msg"], l["method"], l["route"], l["status"], l["took"], l["bytes"], l["requestId"], l["principal"]))
	}
	// The address itself is not logged: it may be a secret, as webhooks' are.
	wantLines := []string{
		"DEBUG request GET /quiet 204 took=1e+09 bytes=0 id=made by=<nil>",
		"INFO request GET /quiet 503 took=1e+09 bytes=? id=made by=<nil>",
		"INFO request GET /things/{id} 200 took=1e+09 bytes=5 id=made by=00000000-0000-0000-0000-000000000063",
		"INFO request GET unmatched 404 took=1e+09 bytes=? id=made by=<nil>",
		"INFO request other unmatched 405 took=1e+09 bytes=? id=made by=<nil>",
	}
	if diff := cmp.Diff(wantLines, lines); diff != "" {
		t.Error(diff)
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	Raw(b.Router, Spec{Method: "GET", Path: "/a", Policy: open}, NoObject(),
		func(http.ResponseWriter, *http.Request, Call[None]) error { panic("secret reason") })
	a := b.ask(t, "GET", "/a", "")
	wantStatus(t, a, 500)
	if diff := cmp.Diff(internalBody+"\n", a.text); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(b.log.String(), `"level":"ERROR"`); n != 1 || !strings.Contains(b.log.String(), "serve_test.go") {
		t.Errorf("the panic is logged %d times, want once with its stack:\n%s", n, b.log)
	}
}

// A failure in the middle of an answer must not look like a whole answer.
func TestFailureAfterTheHeaderBreaksTheConnection(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("secret reason") },
		"panic": func() error { panic("secret reason") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			Raw(b.Router, Spec{Method: "GET", Path: "/a", Policy: open}, NoObject(),
				func(w http.ResponseWriter, _ *http.Request, _ Call[None]) error {
					if err := NewStreamWriter(w, time.Minute).Send([]byte("half")); err != nil {
						return err
					}
					return fail()
				})
			s := httptest.NewServer(b.Handler())
			defer s.Close()
			res, err := s.Client().Get(s.URL + "/a")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if text, err := io.ReadAll(res.Body); err == nil || string(text) != "half" {
				t.Errorf("got %q and %v, want half an answer and an error", text, err)
			}
			if n := strings.Count(b.log.String(), "secret reason"); n != 1 {
				t.Errorf("the reason is logged %d times:\n%s", n, b.log)
			}
		})
	}
}

func TestTimeoutIsUnavailable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	wait := func(_ http.ResponseWriter, r *http.Request, _ Call[None]) error {
		<-r.Context().Done()
		return fmt.Errorf("read: %w", r.Context().Err())
	}
	Raw(b.Router, Spec{Method: "GET", Path: "/a", Policy: open, Timeout: time.Millisecond}, NoObject(), wait)
	Raw(b.Router, Spec{Method: "GET", Path: "/opaque", Policy: open, Timeout: time.Millisecond}, NoObject(),
		func(_ http.ResponseWriter, r *http.Request, _ Call[None]) error {
			<-r.Context().Done()
			return errors.New("interrupted (9)")
		})
	for _, path := range []string{"/a", "/opaque"} {
		a := b.ask(t, "GET", path, "")
		wantStatus(t, a, 503)
		if got := a.problem(t)["error"]; got != "The server did not finish this request within 1ms" {
			t.Errorf("got %v", got)
		}
		if a.header.Get("Retry-After") == "" {
			t.Error("Retry-After is missing")
		}
	}
	if n := strings.Count(b.log.String(), `"level":"ERROR"`); n != 2 {
		t.Errorf("timeouts are logged %d times, want 2:\n%s", n, b.log)
	}
}

func TestClientThatLeavesIsNoError(t *testing.T) {
	t.Parallel()
	status := 0
	b := newBench(t, func(c *Config) { c.Observe = func(_, _ string, s int, _ time.Duration) { status = s } })
	ctx, leave := context.WithCancel(context.Background())
	Raw(b.Router, Spec{Method: "GET", Path: "/a", Policy: open}, NoObject(), func(_ http.ResponseWriter, r *http.Request, _ Call[None]) error {
		leave()
		<-r.Context().Done()
		return r.Context().Err()
	})
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/a", nil).WithContext(ctx))
	if status != statusClientGone || strings.Contains(b.log.String(), "ERROR") {
		t.Errorf("status %d, log:\n%s", status, b.log)
	}
}
