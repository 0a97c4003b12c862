package route

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// limitedBench is a bench with small limits and a clock that stands still until
// it is moved; credentials are the last byte of a principal's id, in decimal.
type limitedBench struct {
	bench
	now    atomic.Int64
	looked atomic.Int64
	by     []LimitedBy
}

func newLimited(t *testing.T) *limitedBench {
	t.Helper()
	l := &limitedBench{}
	l.bench = newBench(t, func(c *Config) {
		c.Limits = Limits{Rate: 1, Failures: 1} // ten at once
		c.Now = func() time.Time { return time.Unix(1_700_000_000+l.now.Load(), 0) }
		c.Limited = func(by LimitedBy) { l.by = append(l.by, by) }
		c.Authenticate = func(_ context.Context, c identity.Credential) (identity.Principal, error) {
			l.looked.Add(1)
			n, err := strconv.Atoi(c.Bearer + c.Cookie)
			switch {
			case c.Bearer == "outage":
				return identity.Principal{}, fault.New(fault.Unavailable, "the provider is down")
			case err != nil:
				return identity.Principal{}, fault.New(fault.Unauthenticated, "Invalid API key")
			}
			return identity.Principal{Kind: identity.Human, ID: id.ID{15: byte(n)}}, nil
		}
	})
	Raw(l.Router, Spec{Method: "GET", Path: "/mine", Policy: access.Self(access.ReadWhoami)}, NoObject(), say("mine"))
	Raw(l.Router, Spec{Method: "GET", Path: "/admin", Policy: access.Admin(access.Administer), Page: true}, NoObject(), say("admin"))
	Raw(l.Router, Spec{Method: "GET", Path: "/open", Policy: open}, NoObject(), say("open"))
	Raw(l.Router, Spec{Method: "GET", Path: "/hook", Policy: open, Unlimited: true}, NoObject(), say("hook"))
	return l
}

// spend asks so often that ten are answered with a status and the eleventh is
// refused.
func (l *limitedBench) spend(t *testing.T, status int, peer, path string, headers ...string) {
	t.Helper()
	for i := range 10 {
		if a := l.askFrom(t, peer, "GET", path, headers...); a.status != status {
			t.Fatalf("request %d: %d, want %d: %s", i, a.status, status, a.text)
		}
	}
	a := l.askFrom(t, peer, "GET", path, headers...)
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" {
		t.Fatalf("the eleventh: %d with Retry-After %q: %s", a.status, a.header.Get("Retry-After"), a.text)
	}
	if p := a.problem(t); p["status"] != 429.0 || p["error"] == "" {
		t.Errorf("got %v", p)
	}
}

const ada, bob = "Authorization: Bearer 1", "Authorization: Bearer 2"

func TestPrincipalsAreLimited(t *testing.T) {
	t.Parallel()
	l := newLimited(t)
	l.spend(t, 200, "192.0.2.1:1", "/mine", ada)
	// Wherever they come from, by whatever credential; and nobody else is.
	for _, c := range []struct {
		peer   string
		header string
		status int
	}{{"192.0.2.2:1", ada, 429}, {"192.0.2.1:1", "Cookie: session=1", 429}, {"192.0.2.1:1", bob, 200}} {
		if a := l.askFrom(t, c.peer, "GET", "/mine", c.header); a.status != c.status {
			t.Errorf("%v: %d %s", c, a.status, a.text)
		}
	}
	l.now.Add(1)
	if a := l.askFrom(t, "192.0.2.1:1", "GET", "/mine", ada); a.status != 200 {
		t.Errorf("a second later: %d %s", a.status, a.text)
	}
	if len(l.by) != 3 || slices.ContainsFunc(l.by, func(by LimitedBy) bool { return by != LimitedPrincipal }) {
		t.Errorf("measured %v", l.by)
	}
}

func TestInvalidCredentialsAreLimitedBeforeTheyAreLookedAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, header string }{{"key", "Authorization: Bearer x"}, {"cookie", "Cookie: session=x"}} {
		l := newLimited(t)
		l.spend(t, 401, "[2001:db8:1:2::1]:1", "/mine", c.header)
		looked := l.looked.Load()
		// The whole network of the address has to wait, with any credential.
		for _, header := range []string{c.header, ada} {
			if a := l.askFrom(t, "[2001:db8:1:2:ffff::2]:1", "GET", "/mine", header); a.status != 429 {
				t.Errorf("%s: %d %s", c.name, a.status, a.text)
			}
		}
		if l.looked.Load() != looked {
			t.Errorf("%s: credentials were looked at all the same", c.name)
		}
		if a := l.askFrom(t, "[2001:db8:1:3::1]:1", "GET", "/mine", ada); a.status != 200 {
			t.Errorf("another network: %d %s", a.status, a.text)
		}
		// What is open, and what sends events, goes on.
		for _, path := range []string{"/open", "/hook"} {
			if a := l.askFrom(t, "[2001:db8:1:2::1]:1", "GET", path); a.status != 200 {
				t.Errorf("%s: %d %s", path, a.status, a.text)
			}
		}
		l.now.Add(1)
		if a := l.askFrom(t, "[2001:db8:1:2::1]:1", "GET", "/mine", ada); a.status != 200 {
			t.Errorf("a second later: %d %s", a.status, a.text)
		}
	}
}

// A provider that is down says nothing about the credential.
func TestOutagesAreNoInvalidCredentials(t *testing.T) {
	t.Parallel()
	l := newLimited(t)
	for i := range 30 {
		if a := l.askFrom(t, "192.0.2.1:1", "GET", "/mine", "Authorization: Bearer outage"); a.status != 503 {
			t.Fatalf("request %d: %d %s", i, a.status, a.text)
		}
	}
}

func TestRequestsWithoutCredentialAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	l := newLimited(t)
	l.spend(t, 200, "192.0.2.1:1", "/open")
	if a := l.askFrom(t, "192.0.2.1:1", "GET", "/mine"); a.status != 429 {
		t.Errorf("without a credential: %d %s", a.status, a.text)
	}
	if a := l.askFrom(t, "192.0.2.1:1", "GET", "/mine", ada); a.status != 200 {
		t.Errorf("with a credential: %d %s", a.status, a.text)
	}
	for i := range 100 {
		if a := l.askFrom(t, "192.0.2.1:1", "GET", "/hook"); a.status != 200 {
			t.Fatalf("webhook %d: %d %s", i, a.status, a.text)
		}
	}
	l.spend(t, 401, "192.0.2.2:1", "/mine")
}

// A client behind no trusted proxy can't get a fresh limit by a header.
func TestLimitsAreNotEscapedByAHeader(t *testing.T) {
	t.Parallel()
	l := newLimited(t)
	refused := 0
	for i := range 20 {
		if a := l.askFrom(t, "192.0.2.1:1", "GET", "/mine", "Authorization: Bearer x", fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", i)); a.status == 429 {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 20 were refused, want 10", refused)
	}
}
