//go:build external

package workos_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
	"github.com/usefloww/flowwd/internal/identity/workos"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workostest"
)

var ada = workostest.Person{Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Password: "countess"}

const callback = "http://localhost:7/auth/callback"

func newEmulated(t *testing.T) (*workos.Way, *workostest.Emulator) {
	t.Helper()
	e := workostest.Start(t, ada, workostest.Person{Email: "grace@example.com", Password: "admiral"})
	client := issuer.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	return workos.New(workos.Config{
		URL: e.URL, ClientID: workostest.ClientID, APIKey: workostest.APIKey, Device: identity.DeviceAuto, HTTP: client, Now: time.Now,
	}), e
}

func request() identity.LoginRequest {
	return identity.LoginRequest{CallbackURL: callback, State: "the-state", Nonce: "n", Verifier: strings.Repeat("v", 43)}
}

// browse follows a login to the callback and returns what comes back there.
func browse(t *testing.T, way *workos.Way, r identity.LoginRequest) url.Values {
	t.Helper()
	to, err := way.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return location(t, to, callback).Query()
}

// location returns where an address sends a browser.
func location(t *testing.T, address, want string) *url.URL {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	to, err := response.Location()
	if err != nil || !strings.HasPrefix(to.String(), want) {
		t.Fatalf("%s sends the browser to %v, %v; want %s", address, to, err, want)
	}
	return to
}

func TestBrowserLogsIn(t *testing.T) {
	t.Parallel()
	way, _ := newEmulated(t)
	login, err := way.Finish(t.Context(), request(), browse(t, way, request()))
	if err != nil {
		t.Fatal(err)
	}
	want := identity.Profile{Email: ada.Email, FirstName: "Ada", LastName: "Lovelace"}
	if diff := cmp.Diff(want, login.Identity.Profile); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if login.Identity.Provider != "workos" || !strings.HasPrefix(login.Identity.Subject, "user_") || !strings.HasPrefix(login.SessionID, "session_") || time.Until(login.Until) <= 0 {
		t.Errorf("got %+v", login)
	}
	first := login.Tokens
	for range 2 {
		renewed, err := way.Refresh(t.Context(), login.Tokens)
		if err != nil || renewed.Identity.Subject != login.Identity.Subject {
			t.Fatalf("renew: %+v, %v", renewed, err)
		}
		login = renewed
	}
	if _, err := way.Refresh(t.Context(), first); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a refresh token that was used: %v", err)
	}
	end, err := way.End(t.Context(), login.Tokens, "http://localhost:7/")
	if err != nil {
		t.Fatal(err)
	}
	location(t, end, "http://localhost:7/")
	for range 2 {
		if to, err := way.End(t.Context(), login.Tokens, ""); to != "" || err != nil {
			t.Errorf("end what was ended: %q, %v", to, err)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	way, _ := newEmulated(t)
	other := request()
	other.Verifier = strings.Repeat("w", 43)
	if _, err := way.Finish(t.Context(), other, browse(t, way, request())); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "invalid_code_verifier") {
		t.Errorf("another verifier: %v", err)
	}
	answer := browse(t, way, request())
	answer.Set("state", "other")
	if _, err := way.Finish(t.Context(), request(), answer); !fault.Is(err, fault.Invalid) {
		t.Errorf("another state: %v", err)
	}
	answer = browse(t, way, request())
	if _, err := way.Finish(t.Context(), request(), answer); err != nil {
		t.Errorf("a good answer: %v", err)
	}
	if _, err := way.Finish(t.Context(), request(), answer); !fault.Is(err, fault.Invalid) {
		t.Errorf("a code that was used: %v", err)
	}
}

func TestBearerAndProfile(t *testing.T) {
	t.Parallel()
	way, e := newEmulated(t)
	tokens := e.LogIn(t, ada)
	who, err := way.Verify(t.Context(), tokens.AccessToken)
	if err != nil || who.Subject != tokens.User.ID || who.Profile.Email != "" {
		t.Fatalf("got %+v, %v", who, err)
	}
	profile, err := way.Profile(t.Context(), who.Subject)
	if err != nil || profile.Email != ada.Email || profile.FirstName != "Ada" {
		t.Errorf("got %+v, %v", profile, err)
	}
	if _, err := way.Profile(t.Context(), "user_unknown"); err == nil {
		t.Error("a person whom WorkOS does not know has a profile")
	}
	if _, err := way.Verify(t.Context(), tokens.AccessToken+"x"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a changed token: %v", err)
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	way, e := newEmulated(t)
	ctx, ids := t.Context(), id.NewSource(time.Now)
	o := tenant.Organization{ID: ids.New(), DisplayName: "Engines"}
	external, err := way.CreateOrganization(ctx, o)
	if err != nil || external == "" {
		t.Fatalf("create: %q, %v", external, err)
	}
	if again, err := way.CreateOrganization(ctx, o); again != external || err != nil {
		t.Errorf("create what is there: %q, %v; want %q", again, err, external)
	}
	invited := map[string]string{}
	for email, role := range map[string]tenant.Role{"one@example.com": tenant.RoleViewer, "two@example.com": tenant.RoleAdmin, "three@example.com": tenant.RoleMember} {
		now := time.Now()
		made, err := way.Invite(ctx, external, tenant.Invitation{Email: email, Role: role, CreatedAt: now, ExpiresAt: now.Add(7 * 24 * time.Hour)})
		if err != nil || made.Link == "" {
			t.Fatalf("invite: %+v, %v", made, err)
		}
		invited[email] = made.ExternalID
	}
	for range 2 {
		if err := way.RevokeInvitation(ctx, invited["one@example.com"]); err != nil {
			t.Errorf("revoke: %v", err)
		}
	}
	if err := way.RevokeInvitation(ctx, "invitation_unknown"); err != nil {
		t.Errorf("revoke what is gone: %v", err)
	}
	e.Call(t, http.MethodPost, "/user_management/invitations/"+invited["three@example.com"]+"/accept", nil, nil)
	if err := way.RevokeInvitation(ctx, invited["three@example.com"]); !fault.Is(err, fault.Conflict) {
		t.Errorf("revoke what was accepted: %v", err)
	}
	states, err := way.Invitations(ctx, external)
	want := map[string]tenant.DirectoryState{
		invited["one@example.com"]: tenant.DirectoryRevoked, invited["two@example.com"]: tenant.DirectoryPending, invited["three@example.com"]: tenant.DirectoryAccepted,
	}
	if diff := cmp.Diff(want, states); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if link, err := way.Portal(ctx, external, tenant.PortalRequest{Feature: "sso", ReturnURL: "http://localhost/"}); err != nil || !strings.HasPrefix(link, "http") {
		t.Errorf("portal: %q, %v", link, err)
	}
}

// All members come, each once, with the role and the name that WorkOS has.
func TestDirectoryMembers(t *testing.T) {
	t.Parallel()
	way, e := newEmulated(t)
	ctx, ids := t.Context(), id.NewSource(time.Now)
	external, err := way.CreateOrganization(ctx, tenant.Organization{ID: ids.New(), DisplayName: "Engines"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]tenant.DirectoryMember{}
	roles := map[string]tenant.Role{"owner": tenant.RoleAdmin, "admin": tenant.RoleAdmin, "viewer": tenant.RoleViewer, "their-own": tenant.RoleMember}
	slugs := slices.Sorted(maps.Keys(roles))
	const many = 230
	for n := range many {
		var u, m struct {
			ID string `json:"id"`
		}
		email, slug := fmt.Sprintf("p%d@example.com", n), slugs[n%len(slugs)]
		e.Call(t, http.MethodPost, "/user_management/users", map[string]string{"email": email, "first_name": "P"}, &u)
		e.Call(t, http.MethodPost, "/user_management/organization_memberships", map[string]string{"organization_id": external, "user_id": u.ID, "role_slug": slug}, &m)
		if n == 0 {
			e.Call(t, http.MethodPut, "/user_management/organization_memberships/"+m.ID+"/deactivate", nil, nil)
			continue
		}
		want[u.ID] = tenant.DirectoryMember{Subject: u.ID, Email: email, FirstName: "P", Role: roles[slug]}
	}
	got, pages := map[string]tenant.DirectoryMember{}, 0
	for after := ""; ; {
		page, next, err := way.Members(ctx, external, after)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, m := range page {
			if _, twice := got[m.Subject]; twice {
				t.Errorf("%s comes twice", m.Email)
			}
			got[m.Subject] = m
		}
		if next == "" {
			break
		}
		after = next
	}
	if diff := cmp.Diff(want, got); diff != "" || pages != 3 {
		t.Errorf("%d pages (-want +got):\n%s", pages, diff)
	}
	if _, _, err := way.Members(ctx, "org_unknown", ""); err != nil {
		t.Errorf("members of what is not there: %v", err)
	}
}
