package route

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// The actors of these tests: mine is an organization where key "member" is a
// member and "viewer" a viewer; theirs is another one, with key "stranger".
var (
	mine   = id.ID{15: 1}
	theirs = id.ID{15: 2}
	thing1 = id.ID{15: 11}
	thing2 = id.ID{15: 12}
)

func authenticate(_ context.Context, c identity.Credential) (identity.Principal, error) {
	bearer := c.Bearer
	in := func(name string, organization id.ID, role tenant.Role) (identity.Principal, error) {
		return identity.Principal{
			Kind: identity.ServiceAccount, ID: id.ID{15: 99}, Name: name,
			Memberships: []tenant.Membership{{OrganizationID: organization, Role: role}},
		}, nil
	}
	switch bearer {
	case "member":
		return in(bearer, mine, tenant.RoleMember)
	case "viewer":
		return in(bearer, mine, tenant.RoleViewer)
	case "stranger":
		return in(bearer, theirs, tenant.RoleOwner)
	case "outage":
		return identity.Principal{}, io.ErrClosedPipe
	case "":
		return identity.Principal{}, fault.New(fault.Unauthenticated, "No credentials provided")
	}
	return identity.Principal{}, fault.New(fault.Unauthenticated, "Invalid API key")
}

type thing struct {
	ID, Organization id.ID
}

// things loads thing1, which is mine, and thing2, which is theirs. Like the
// store, it does not find what none of the organizations owns.
func things() Object[thing] {
	return Object[thing]{
		What: "Thing", Param: "id",
		Load: func(_ context.Context, organizations []id.ID, object id.ID) (thing, error) {
			for _, t := range []thing{{thing1, mine}, {thing2, theirs}} {
				for _, o := range organizations {
					if t.ID == object && t.Organization == o {
						return t, nil
					}
				}
			}
			return thing{}, fault.New(fault.NotFound, "no rows")
		},
		Resource: func(t thing) access.Resource { return access.Resource{OrganizationID: t.Organization} },
	}
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type bench struct {
	*Router
	log *logBuffer
}

func newBench(t *testing.T, change ...func(*Config)) bench {
	t.Helper()
	log := &logBuffer{}
	c := Config{
		Title: "test", Version: "1", Authenticate: authenticate, OperatorToken: "operator",
		Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    func() time.Time { return time.Unix(1_700_000_000, 0) }, NewRequestID: func() string { return "made" },
	}
	for _, f := range change {
		f(&c)
	}
	return bench{New(c), log}
}

// get registers a GET route that answers with its own name.
func (b bench) get(path, name string) {
	Raw(b.Router, Spec{Method: http.MethodGet, Path: path, Policy: access.Public(access.ReadHealth)}, NoObject(), say(name))
}

func say(text string) func(http.ResponseWriter, *http.Request, Call[None]) error {
	return func(w http.ResponseWriter, _ *http.Request, _ Call[None]) error {
		return WriteBody(w, http.StatusOK, "text/plain", []byte(text))
	}
}

type answer struct {
	status int
	header http.Header
	text   string
}

// problem reads the answer as the body of a failure.
func (a answer) problem(t *testing.T) map[string]any {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal([]byte(a.text), &p); err != nil {
		t.Fatalf("the answer is not JSON: %v: %s", err, a.text)
	}
	return p
}

// ask sends a request; headers are "Name: value".
func (b bench) ask(t *testing.T, method, target, body string, headers ...string) answer {
	t.Helper()
	if err := b.Err(); err != nil {
		t.Fatalf("the router does not start: %v", err)
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func wantStatus(t *testing.T, a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.text)
	}
	if n := a.header.Get("Content-Length"); n != "" && n != strconv.Itoa(len(a.text)) {
		t.Errorf("Content-Length %s for %d bytes", n, len(a.text))
	}
}

// askFrom sends a request from an address.
func (b bench) askFrom(t *testing.T, peer, method, target string, headers ...string) answer {
	t.Helper()
	r := b.request(method, target, headers...)
	r.RemoteAddr = peer
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// request is one without a body.
func (bench) request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}
