package apptest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// personPrefix begins the credentials of people in tests.
const personPrefix = "person_"

// Anyone is a way to log in that believes what it is told: the credential is the
// prefix and the subject. It stands in for a provider where a test is not about
// logging in.
type Anyone struct{}

// Name is part of identity.Way.
func (Anyone) Name() string { return "test" }

// Verify is part of identity.Way.
func (Anyone) Verify(_ context.Context, bearer string) (identity.Identity, error) {
	subject, ok := strings.CutPrefix(bearer, personPrefix)
	if !ok || subject == "" {
		return identity.Identity{}, fault.New(fault.Unauthenticated, "Invalid credential")
	}
	return identity.Identity{Provider: "test", Subject: subject, Profile: identity.Profile{
		Email: subject + "@example.com", FirstName: strings.ToUpper(subject[:1]) + subject[1:], LastName: "Test",
	}}, nil
}

// Client is part of identity.Way.
func (Anyone) Client(context.Context) identity.ClientConfig { return identity.ClientConfig{} }

// Person returns a client of somebody, on a server with the Way Anyone. The first
// request makes the user.
func (c *Client) Person(t testing.TB, subject string) *Person {
	t.Helper()
	p := &Person{Client: NewClient(t, c.URL, personPrefix+subject), Subject: subject}
	me := p.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)
	p.ID = me["id"].(string)
	for _, o := range me["organizations"].([]any) {
		p.Organization = o.(map[string]any)["id"].(string)
	}
	return p
}

// Person is somebody who is logged in.
type Person struct {
	*Client
	Subject string
	// ID is the user's.
	ID string
	// Organization is the one of its arrival.
	Organization string
}

// Organization returns the id of the client's only organization.
func (c *Client) Organization(t testing.TB) string {
	t.Helper()
	all := c.JSON(t, http.StatusOK, "GET", "/api/organizations", nil)["results"].([]any)
	if len(all) != 1 {
		t.Fatalf("there are %d organizations, want one", len(all))
	}
	return all[0].(map[string]any)["id"].(string)
}

// Join gives somebody a role in an organization, past all rules.
func (s *Server) Join(t testing.TB, organization string, p *Person, role string) {
	t.Helper()
	db := s.Store(t)
	o, user := parse(t, organization), parse(t, p.ID)
	err := db.SetMember(t.Context(), o, user, tenant.RoleNamed(role), time.Now())
	if err != nil {
		t.Fatalf("make %s a member: %v", p.Subject, err)
	}
}

func parse(t testing.TB, text string) id.ID {
	t.Helper()
	x, err := id.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
