package api

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// fakeAdministration has one user, whom the settings name.
type fakeAdministration struct {
	filter identity.UserFilter
	change identity.UserChange
	by     identity.Principal
	out    id.ID
	err    error
}

func (f *fakeAdministration) user() identity.User {
	return identity.User{
		ID: n(7), Provider: "test", Subject: "ada", Profile: identity.Profile{Email: "ada@example.com", FirstName: "Ada"},
		CreatedAt: clock, UpdatedAt: clock, SeenAt: &clock,
	}
}

func (f *fakeAdministration) Users(_ context.Context, filter identity.UserFilter) (identity.UserPage, error) {
	f.filter = filter
	return identity.UserPage{Users: []identity.User{f.user()}, Total: 30}, f.err
}

func (f *fakeAdministration) User(_ context.Context, user id.ID) (identity.User, error) {
	if user != n(7) {
		return identity.User{}, fault.New(fault.NotFound, "User not found")
	}
	return f.user(), f.err
}

func (f *fakeAdministration) Change(ctx context.Context, by identity.Principal, user id.ID, c identity.UserChange) (identity.User, error) {
	f.by, f.change = by, c
	u, err := f.User(ctx, user)
	if c.Disabled != nil && *c.Disabled {
		u.DisabledAt = &clock
	}
	return u, err
}

func (f *fakeAdministration) SignOut(_ context.Context, user id.ID) (int, error) {
	f.out = user
	return 3, f.err
}

func (f *fakeAdministration) IsApproved(u identity.User) bool { return u.Subject == "ada" }

func TestUsersOnTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const user = `{"id":"#7","provider":"test","subject":"ada","login":null,"email":"ada@example.com","firstName":"Ada","lastName":null,
		"isAdmin":true,"isAdminBySettings":true,"disabled":false,"disabledAt":null,"seenAt":` + wireTime + `,"createdAt":` + wireTime + `,"updatedAt":` + wireTime + `}`
	wantJSON(t, w.ask(t, "GET", "/api/admin/users", "", asInstallation), 200, `{"items":[`+user+`],"total":30,"page":1,"pageSize":25}`)
	wantJSON(t, w.ask(t, "GET", "/api/admin/users?search=a&page=3&page_size=10", "", asInstallation), 200, `{"items":[`+user+`],"total":30,"page":3,"pageSize":10}`)
	if diff := cmp.Diff(identity.UserFilter{Search: "a", Limit: 10, Offset: 20}, w.administration.filter); diff != "" {
		t.Error(diff)
	}
	wantJSON(t, w.ask(t, "GET", ids("/api/admin/users/#7"), "", asInstallation), 200, user)
	r := w.ask(t, "PATCH", ids("/api/admin/users/#7"), `{"disabled":true,"is_admin":false}`, asInstallation)
	if c := w.administration.change; r.status != 200 || c.Disabled == nil || !*c.Disabled || c.Admin == nil || *c.Admin || w.administration.by.ID != n(memberNumber) {
		t.Errorf("%d %s: %+v", r.status, r.text, c)
	}
	w.ask(t, "PATCH", ids("/api/admin/users/#7"), `{}`, asInstallation)
	if c := w.administration.change; c.Disabled != nil || c.Admin != nil {
		t.Errorf("nothing was asked for: %+v", c)
	}
	wantJSON(t, w.ask(t, "POST", ids("/api/admin/users/#7/sign-out"), "", asInstallation), 200, `{"ended":3}`)
	for _, c := range [][2]string{{"GET", ""}, {"PATCH", ""}} {
		for _, path := range []string{"/api/admin/users/x", ids("/api/admin/users/#8")} {
			wantError(t, w.ask(t, c[0], path+c[1], `{}`, asInstallation), 404, "User not found")
		}
	}
	wantError(t, w.ask(t, "PATCH", ids("/api/admin/users/#7"), `{"disabled":"yes"}`, asInstallation), 400, "body.disabled")
	for _, query := range []string{"page=0", "pageSize=101", "page=x"} {
		wantError(t, w.ask(t, "GET", "/api/admin/users?"+query, "", asInstallation), 400, "query.page")
	}
	for _, who := range []string{"admin", "member"} {
		wantError(t, w.ask(t, "PATCH", ids("/api/admin/users/#9"), `{"isAdmin":true}`, "Authorization: Bearer "+who), 403, "Access denied: Admin permissions required")
	}
}
