package api

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// fakeAccounts has one account, #7, with one key, #8.
type fakeAccounts struct {
	name    string
	role    tenant.Role
	change  *identity.AccountChange
	request *identity.KeyRequest
	overlap time.Duration
	ends    *time.Time
	deleted id.ID
	err     error
}

func (f *fakeAccounts) key() identity.APIKey {
	at := clock
	return identity.APIKey{
		ID: n(8), ServiceAccountID: n(7), OrganizationID: n(orgNumber), Name: "nightly", Prefix: "floww_sa_abc", CreatedAt: clock, ExpiresAt: &at,
		Scope: &identity.Scope{Actions: []string{"read"}, Type: tenant.WorkflowResource, ID: n(workflowNumber)},
	}
}

func (f *fakeAccounts) account() identity.Account {
	return identity.Account{ID: n(7), OrganizationID: n(orgNumber), Name: "ci", Role: tenant.RoleMember, CreatedAt: clock, Keys: []identity.APIKey{f.key()}}
}

func (f *fakeAccounts) CreateAccount(_ context.Context, _ identity.Principal, organization id.ID, name string, role tenant.Role) (identity.Account, error) {
	f.name, f.role = name, role
	return identity.Account{ID: n(7), OrganizationID: organization, Name: name, Role: role, CreatedByID: n(memberNumber), CreatedAt: clock}, f.err
}

func (f *fakeAccounts) Account(_ context.Context, organizations []id.ID, account id.ID) (identity.Account, error) {
	if account != n(7) || !slices.Contains(organizations, n(orgNumber)) {
		return identity.Account{}, fault.New(fault.NotFound, "no rows")
	}
	return f.account(), nil
}

func (f *fakeAccounts) Accounts(_ context.Context, _ id.ID, _, _ int) (identity.AccountPage, error) {
	return identity.AccountPage{Accounts: []identity.Account{f.account()}, Total: 3}, nil
}

func (f *fakeAccounts) ChangeAccount(_ context.Context, _ identity.Principal, a identity.Account, c identity.AccountChange) (identity.Account, error) {
	f.change = &c
	return a, f.err
}

func (f *fakeAccounts) DeleteAccount(_ context.Context, account id.ID) error {
	f.deleted = account
	return f.err
}

func (f *fakeAccounts) AddKey(_ context.Context, _ identity.Principal, _ identity.Account, r identity.KeyRequest) (string, identity.APIKey, error) {
	f.request = &r
	return "floww_sa_abcdef", f.key(), f.err
}

func (f *fakeAccounts) RevokeKey(_ context.Context, _, _ id.ID) (identity.APIKey, error) {
	k := f.key()
	k.RevokedAt = &k.CreatedAt
	return k, f.err
}

func (f *fakeAccounts) Rotate(_ context.Context, _ identity.Principal, _ identity.Account, _ id.ID, overlap time.Duration, ends *time.Time) (string, identity.APIKey, identity.APIKey, error) {
	f.overlap, f.ends = overlap, ends
	old := f.key()
	old.ReplacedByID = n(6)
	return "floww_sa_abcdef", old, identity.APIKey{ID: n(6), Name: "nightly", Prefix: "floww_sa_abc", CreatedAt: clock}, f.err
}

const (
	wireTime = `"2026-03-04T04:06:07.008Z"`
	wireKey  = `{"id":"#8","name":"nightly","prefix":"floww_sa_abc","createdAt":` + wireTime + `,"created_at":` + wireTime + `,
		"lastUsedAt":null,"last_used_at":null,"expiresAt":` + wireTime + `,"expires_at":` + wireTime + `,"revokedAt":null,"revoked_at":null,
		"scope":["read"],"workflowId":"#3","workflow_id":"#3","folderId":null,"folder_id":null,"replacedById":null,"replaced_by_id":null`
	wireAccount = `{"id":"#7","name":"ci","role":"member","organizationId":"#1","organization_id":"#1","createdById":null,
		"createdAt":` + wireTime + `,"created_at":` + wireTime + `,"apiKeys":[` + wireKey + `}],"api_keys":[` + wireKey + `}]}`
	asAdmin = "Authorization: Bearer admin"
)

func TestAccountsOnTheWire(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"/api/service_accounts", "/api/service-accounts"} {
		w := newWorld(t)
		wantJSON(t, w.ask(t, "GET", base+"?organization_id="+n(orgNumber).String(), "", asAdmin), 200, `{"results":[`+wireAccount+`],"total":3}`)
		wantJSON(t, w.ask(t, "GET", base+"?organizationId="+n(orgNumber).String(), ""), 200, `{"results":[],"total":0}`)
		wantJSON(t, w.ask(t, "GET", base+"?organization_id="+n(orgNumber).String(), "", "Authorization: Bearer stranger"), 200, `{"results":[],"total":0}`)
		wantError(t, w.ask(t, "GET", base, "", asAdmin), 400, "organizationId")
		wantJSON(t, w.ask(t, "GET", ids(base+"/#7"), "", asAdmin), 200, wireAccount)
		wantError(t, w.ask(t, "GET", ids(base+"/#7"), ""), 403, "owners and admins")
		wantError(t, w.ask(t, "GET", ids(base+"/#7"), "", "Authorization: Bearer stranger"), 404, "Service account not found")
		wantJSON(t, w.ask(t, "DELETE", ids(base+"/#7"), "", asAdmin), 200, `{"id":"#7","success":true,"message":"Service account #7 deleted"}`)
		if w.accounts.deleted != n(7) {
			t.Errorf("deleted %v", w.accounts.deleted)
		}
	}
}

func TestCreateAccount(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]tenant.Role{
		`{"name":"ci","organization_id":"#1"}`:                  tenant.RoleMember,
		`{"name":"ci","organizationId":"#1","role":"ADMIN"}`:    tenant.RoleAdmin,
		`{"name":"ci","organization_id":"#1","role":"viewer"}`:  tenant.RoleViewer,
		`{"name":"ci","organization_id":"#1","role":"unknown"}`: tenant.RoleNone,
	} {
		w := newWorld(t)
		wantJSON(t, w.ask(t, "POST", "/api/service_accounts", ids(body), asAdmin), 200,
			`{"id":"#7","name":"ci","role":"`+want.String()+`","organizationId":"#1","organization_id":"#1","createdById":"#9",
			"createdAt":`+wireTime+`,"created_at":`+wireTime+`,"apiKeys":[],"api_keys":[]}`)
		if w.accounts.role != want {
			t.Errorf("%s: role %s, want %s", body, w.accounts.role, want)
		}
	}
	for body, want := range map[string]int{
		`{"name":"ci"}`: 400, `{"organization_id":"#1"}`: 400, `{"name":"","organization_id":"#1"}`: 400,
		`{"name":"ci","organization_id":"#2"}`: 404, `{"name":"ci","organization_id":"x"}`: 404,
	} {
		w := newWorld(t)
		if r := w.ask(t, "POST", "/api/service_accounts", ids(body), asAdmin); r.status != want || w.accounts.name != "" {
			t.Errorf("%s: got %d %s, want %d", body, r.status, r.text, want)
		}
	}
}

func TestChangeAccount(t *testing.T) {
	t.Parallel()
	name, role := "b", tenant.RoleAdmin
	for body, want := range map[string]identity.AccountChange{
		`{}`:            {},
		`{"name":"b"}`:  {Name: &name},
		`{"name":null}`: {},
		`{"name":"b","role":"Admin","organization_id":"#2"}`: {Name: &name, Role: &role},
	} {
		w := newWorld(t)
		wantJSON(t, w.ask(t, "PATCH", ids("/api/service-accounts/#7"), ids(body), asAdmin), 200, wireAccount)
		if diff := cmp.Diff(&want, w.accounts.change); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestKeysOnTheWire(t *testing.T) {
	t.Parallel()
	ends := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	for body, want := range map[string]identity.KeyRequest{
		`{"name":"k"}`: {Name: "k"},
		`{"name":"k","expires_at":"2027-01-02T03:04:05Z","scope":null,"workflow_id":null}`: {Name: "k", ExpiresAt: &ends},
		`{"name":"k","scope":["deploy","READ"]}`:                                           {Name: "k", Scope: &identity.Scope{Actions: []string{"read", "deploy"}}},
		`{"name":"k","workflow_id":"#3"}`:                                                  {Name: "k", Scope: &identity.Scope{Type: tenant.WorkflowResource, ID: n(3)}},
		`{"name":"k","folder_id":"#6","scope":["read"]}`:                                   {Name: "k", Scope: &identity.Scope{Actions: []string{"read"}, Type: tenant.FolderResource, ID: n(6)}},
	} {
		for _, path := range []string{"/api/service_accounts/#7/api_keys", "/api/service-accounts/#7/api-keys"} {
			w := newWorld(t)
			wantJSON(t, w.ask(t, "POST", ids(path), ids(body), asAdmin), 200, wireKey+`,"apiKey":"floww_sa_abcdef","api_key":"floww_sa_abcdef"}`)
			if diff := cmp.Diff(&want, w.accounts.request); diff != "" {
				t.Errorf("%s: %s", body, diff)
			}
		}
	}
	for body, wrong := range map[string]string{
		`{}`: "name", `{"name":""}`: "name", `{"name":"k","scope":[]}`: "body.scope", `{"name":"k","scope":["all"]}`: "allowed: read, deploy, invoke",
		`{"name":"k","workflow_id":"x"}`: "Workflow not found", `{"name":"k","expires_at":"tomorrow"}`: "expiresAt",
		`{"name":"k","folder_id":"x"}`: "Folder not found", `{"name":"k","folder_id":"x","workflow_id":"y"}`: "body.folderId",
	} {
		w := newWorld(t)
		wantError(t, w.ask(t, "POST", ids("/api/service_accounts/#7/api_keys"), body, asAdmin), 400, wrong)
		if w.accounts.request != nil {
			t.Errorf("%s: a key was made", body)
		}
	}
	gone := newWorld(t)
	gone.accounts.err = fault.New(fault.NotFound, "Workflow not found")
	wantError(t, gone.ask(t, "POST", ids("/api/service_accounts/#7/api_keys"), ids(`{"name":"k","workflow_id":"#3"}`), asAdmin), 400, "Workflow not found")
	wantError(t, gone.ask(t, "POST", ids("/api/service_accounts/#7/api_keys"), ids(`{"name":"k","folder_id":"#3"}`), asAdmin), 400, "Folder not found")
}

func TestRevokeAndRotateOnTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.ask(t, "POST", ids("/api/service_accounts/#7/api_keys/#8/revoke"), "", asAdmin)
	if r.status != 200 || !strings.Contains(r.text, `"revoked_at":`+wireTime) || strings.Contains(r.text, `"api_key"`) {
		t.Errorf("got %d %s", r.status, r.text)
	}
	wantError(t, w.ask(t, "POST", ids("/api/service_accounts/#7/api_keys/x/revoke"), "", asAdmin), 404, "nothing with this id")
	wantError(t, w.ask(t, "POST", ids("/api/service_accounts/#7/api_keys/#8/revoke"), "", "Authorization: Bearer stranger"), 404, "Service account not found")
	ends := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	for body, want := range map[string]struct {
		overlap time.Duration
		ends    *time.Time
	}{
		``:                      {24 * time.Hour, nil},
		`{}`:                    {24 * time.Hour, nil},
		`{"overlap_seconds":0}`: {0, nil},
		`{"overlapSeconds":60,"expires_at":"2027-01-02T03:04:05Z"}`: {time.Minute, &ends},
	} {
		r := w.ask(t, "POST", ids("/api/service-accounts/#7/api-keys/#8/rotate"), body, asAdmin)
		if r.status != 200 || !strings.Contains(r.text, ids(`{"id":"#6","name":"nightly"`)) || !strings.Contains(r.text, `"api_key":"floww_sa_abcdef"`) || !strings.Contains(r.text, ids(`"previous":{"id":"#8"`)) {
			t.Errorf("%q: got %d %s", body, r.status, r.text)
		}
		if w.accounts.overlap != want.overlap || !cmp.Equal(w.accounts.ends, want.ends) {
			t.Errorf("%q: overlap %v and end %v, want %v", body, w.accounts.overlap, w.accounts.ends, want)
		}
	}
}
