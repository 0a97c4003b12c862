package tenant_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
)

// directory is a provider that keeps one organization in memory.
type directory struct {
	made    int
	sent    []string
	revoked []string
	states  map[string]tenant.DirectoryState
	pages   [][]tenant.DirectoryMember
	portal  tenant.PortalRequest
	err     error
}

func (*directory) Provider() string { return "test" }

func (d *directory) CreateOrganization(context.Context, tenant.Organization) (string, error) {
	d.made++
	return "org_1", d.err
}

func (d *directory) Invite(_ context.Context, external string, i tenant.Invitation) (tenant.DirectoryInvitation, error) {
	if d.err != nil || external != "org_1" {
		return tenant.DirectoryInvitation{}, errors.Join(errors.New("refused"), d.err)
	}
	d.sent = append(d.sent, i.Email)
	return tenant.DirectoryInvitation{ExternalID: "inv_" + i.Email, Link: "https://provider.example/accept"}, nil
}

func (d *directory) Invitations(context.Context, string) (map[string]tenant.DirectoryState, error) {
	return d.states, d.err
}

func (d *directory) RevokeInvitation(_ context.Context, invitation string) error {
	d.revoked = append(d.revoked, invitation)
	return d.err
}

func (d *directory) Members(_ context.Context, _, after string) ([]tenant.DirectoryMember, string, error) {
	if after == "" {
		return d.pages[0], "next", d.err
	}
	return d.pages[1], "", d.err
}

func (d *directory) Portal(_ context.Context, _ string, r tenant.PortalRequest) (string, error) {
	d.portal = r
	return "https://provider.example/portal", d.err
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	ctx, ids := t.Context(), id.NewSource(time.Now)
	db, err := store.Open(ctx, store.Config{Path: filepath.Join(t.TempDir(), "flowwd.db"), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tenants := &tenant.Service{Store: db, IDs: ids, Now: time.Now}
	users := &identity.Service{Users: db, IDs: ids, Now: time.Now, Fresh: tenants.Fresh}
	owner, err := users.Users.Welcome(ctx, arrival(tenants, ids, "ada"))
	if err != nil {
		t.Fatal(err)
	}
	org := owner.Memberships[0].OrganizationID
	current := func() tenant.Organization {
		o, err := tenants.Organization(ctx, []id.ID{org}, org)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	d := &directory{}
	s := &tenant.Invitations{Store: db, Directory: d, IDs: ids, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	request := func(email string) tenant.Request {
		return tenant.Request{Caller: tenant.Caller{ID: owner.ID, Role: tenant.RoleOwner}, Organization: current(), Email: email, Role: tenant.RoleAdmin}
	}
	list := func() (states []string) {
		all, err := s.List(ctx, current(), 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			states = append(states, i.Email+" "+i.State(time.Now()))
		}
		slices.Sort(states)
		return states
	}

	made, err := s.Invite(ctx, request("bob@example.com"))
	if err != nil || made.Link != "https://provider.example/accept" || made.Invitation.ExternalID != "inv_bob@example.com" {
		t.Fatalf("invited %+v, %v", made, err)
	}
	if _, err := s.Resend(ctx, request(""), made.Invitation.ID); err != nil || !slices.Equal(d.revoked, []string{"inv_bob@example.com"}) {
		t.Errorf("resent: %v, revoked %v", err, d.revoked)
	}
	if d.made != 1 || current().WorkOSID != "org_1" {
		t.Errorf("made %d organizations there, called %q", d.made, current().WorkOSID)
	}
	d.err = errors.New("down")
	if _, err := s.Invite(ctx, request("cyd@example.com")); err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("invited while the provider is down: %v", err)
	}
	if got := strings.Join(list(), ", "); got != "bob@example.com pending, cyd@example.com revoked" {
		t.Errorf("while the provider is down: %s", got)
	}
	d.err, d.states = nil, map[string]tenant.DirectoryState{"inv_bob@example.com": tenant.DirectoryAccepted}
	if got := strings.Join(list(), ", "); got != "bob@example.com accepted, cyd@example.com revoked" {
		t.Errorf("after the provider's word: %s", got)
	}
	owners := request("dan@example.com")
	owners.Role = tenant.RoleOwner
	if _, err := s.Invite(ctx, owners); !fault.Is(err, fault.Invalid) {
		t.Errorf("an owner by the provider: %v", err)
	}

	d.pages = [][]tenant.DirectoryMember{{{Subject: "bob", Role: tenant.RoleOwner}, {Subject: "ada"}}, {{Subject: "cyd"}}}
	if n, err := s.Sync(ctx, current()); n != 2 || err != nil {
		t.Errorf("%d came (%v), want 2", n, err)
	}
	members, err := tenants.Members(ctx, org, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]tenant.Role{}
	for _, m := range members {
		got[m.Person.Subject] = m.Role
	}
	if got["ada"] != tenant.RoleOwner || got["bob"] != tenant.RoleAdmin || got["cyd"] != tenant.RoleViewer {
		t.Errorf("members %v", got)
	}
	if link, err := s.Portal(ctx, current(), tenant.PortalRequest{Feature: "sso"}); link == "" || err != nil || d.portal.Feature != "sso" {
		t.Errorf("portal %q, %v", link, err)
	}
}

// arrival is a new user of the provider "test".
func arrival(tenants *tenant.Service, ids *id.Source, subject string) identity.Arrival {
	now := time.Now()
	n := tenants.Fresh(subject)
	return identity.Arrival{
		User:         identity.User{ID: ids.New(), Provider: "test", Subject: subject, CreatedAt: now, UpdatedAt: now},
		Organization: n.Organization, Namespace: n,
	}
}
