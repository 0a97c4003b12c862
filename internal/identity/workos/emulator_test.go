//go:build external

package workos_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
	"github.com/usefloww/flowwd/internal/identity/workos"
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
	d, ctx := way.Directory(), t.Context()
	user := e.LogIn(t, ada).User.ID
	organization, err := d.CreateOrganization(ctx, "Engines", "0190-external")
	if err != nil || organization == "" {
		t.Fatalf("create: %q, %v", organization, err)
	}
	invited := map[string]string{}
	for _, email := range []string{"one@example.com", "two@example.com"} {
		made, err := d.Invite(ctx, workos.NewInvitation{Email: email, OrganizationID: organization, Role: "member"})
		if err != nil || made.State != "pending" || made.AcceptURL == "" || time.Until(made.ExpiresAt) <= 0 {
			t.Fatalf("invite: %+v, %v", made, err)
		}
		invited[email] = made.ID
	}
	if err := d.RevokeInvitation(ctx, invited["one@example.com"]); err != nil {
		t.Fatal(err)
	}
	if err := d.RevokeInvitation(ctx, invited["one@example.com"]); !fault.Is(err, fault.Invalid) {
		t.Errorf("revoke twice: %v", err)
	}
	if err := d.RevokeInvitation(ctx, "invitation_unknown"); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoke what is not there: %v", err)
	}
	all, err := d.Invitations(ctx, organization)
	states := map[string]string{}
	for _, i := range all {
		states[i.Email] = i.State
	}
	if diff := cmp.Diff(map[string]string{"one@example.com": "revoked", "two@example.com": "pending"}, states); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	member, err := d.AddMember(ctx, organization, user, "")
	if err != nil || member.Status != "active" || member.Role.Slug != "member" {
		t.Fatalf("add: %+v, %v", member, err)
	}
	if _, err := d.AddMember(ctx, organization, user, ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("add twice: %v", err)
	}
	if err := d.SetRole(ctx, member.ID, "admin"); err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string]func() ([]workos.Membership, error){
		"members": func() ([]workos.Membership, error) { return d.Members(ctx, organization) },
		"of user": func() ([]workos.Membership, error) { return d.MembershipsOf(ctx, user) },
	} {
		got, err := list()
		if err != nil || len(got) != 1 || got[0].Role.Slug != "admin" || got[0].UserID != user || got[0].OrganizationID != organization {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if err := d.RemoveMember(ctx, member.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Members(ctx, organization); err != nil || len(got) != 0 {
		t.Errorf("after the removal: %+v, %v", got, err)
	}
	if link, err := d.PortalLink(ctx, organization, "sso", ""); err != nil || !strings.HasPrefix(link, "http") {
		t.Errorf("portal: %q, %v", link, err)
	}
}

// A listing of several pages is read to its end.
func TestDirectoryPages(t *testing.T) {
	t.Parallel()
	way, _ := newEmulated(t)
	d, ctx := way.Directory(), t.Context()
	organization, err := d.CreateOrganization(ctx, "Engines", "")
	if err != nil {
		t.Fatal(err)
	}
	const many = 230
	for range many {
		if _, err := d.Invite(ctx, workos.NewInvitation{Email: "x@example.com", OrganizationID: organization}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := d.Invitations(ctx, organization)
	seen := map[string]bool{}
	for _, i := range all {
		seen[i.ID] = true
	}
	if err != nil || len(all) != many || len(seen) != many {
		t.Errorf("%d invitations of %d, %d of them different, %v", len(all), many, len(seen), err)
	}
}
