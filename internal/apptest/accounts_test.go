package apptest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// problem is the text of a failed answer.
func problem(t *testing.T, c *apptest.Client, status int, method, path string, body any) string {
	t.Helper()
	return c.JSON(t, status, method, path, body)["detail"].(string)
}

// Acceptance criteria 18 to 25, 32 to 34 and 37 of the wire contract.
func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	other := s.OtherTenant(t)
	organization := s.Organization(t)

	made := s.JSON(t, http.StatusOK, "POST", "/api/service_accounts", map[string]any{"name": "ci", "organization_id": organization})
	account := made["id"].(string)
	if made["name"] != "ci" || made["organization_id"] != organization || made["role"] != "member" || len(made["api_keys"].([]any)) != 0 {
		t.Errorf("18: made %v", made)
	}
	one := "/api/service_accounts/" + account
	listed := func(c *apptest.Client, of string) []any {
		t.Helper()
		return c.JSON(t, http.StatusOK, "GET", "/api/service_accounts?organization_id="+of, nil)["results"].([]any)
	}
	keysOf := func(id string) []any {
		t.Helper()
		for _, a := range listed(s.Client, organization) {
			if a := a.(map[string]any); a["id"] == id {
				return a["api_keys"].([]any)
			}
		}
		t.Fatalf("19: account %s is not listed", id)
		return nil
	}
	if n := len(keysOf(account)); n != 0 {
		t.Errorf("19: %d keys, want none", n)
	}

	key := s.JSON(t, http.StatusOK, "POST", one+"/api_keys", map[string]any{"name": "nightly"})
	text := key["api_key"].(string)
	if !regexp.MustCompile(`^floww_sa_[A-Za-z0-9]{32}$`).MatchString(text) || key["name"] != "nightly" || key["prefix"] != text[:12] || key["revoked_at"] != nil {
		t.Errorf("20, 37: made %v", key)
	}
	for range 2 {
		s.AccountKey(t, account, nil)
	}
	if n := len(keysOf(account)); n != 3 {
		t.Errorf("19: %d keys, want 3", n)
	}
	shown := s.Do(t, "GET", one, nil)
	if !strings.Contains(string(shown.Body), key["id"].(string)) || strings.Contains(string(shown.Body), `"api_key":`) || strings.Contains(string(shown.Body), text) {
		t.Errorf("21: got %s", shown)
	}

	client := s.As(text)
	who := client.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)
	user := who["user"].(map[string]any)
	if who["id"] != account || who["user_type"] != "service_account" || who["first_name"] != "ci" {
		t.Errorf("25: whoami %v", who)
	}
	if user["id"] != account || user["userType"] != "SERVICE_ACCOUNT" || user["isAdmin"] != false || user["email"] != nil || user["firstName"] != nil || user["lastName"] != nil {
		t.Errorf("32, 33: whoami %v", who)
	}
	if all := who["organizations"].([]any); len(all) != 1 || all[0].(map[string]any)["id"] != organization || all[0].(map[string]any)["displayName"] == nil {
		t.Errorf("32: organizations %v", all)
	}

	revoke := one + "/api_keys/" + key["id"].(string) + "/revoke"
	if revoked := s.JSON(t, http.StatusOK, "POST", revoke, nil); revoked["revoked_at"] == nil {
		t.Errorf("22: got %v", revoked)
	}
	if again := problem(t, s.Client, http.StatusBadRequest, "POST", revoke, nil); !strings.Contains(again, "already revoked") {
		t.Errorf("22: again %q", again)
	}
	revokedAt := 0
	for _, k := range s.JSON(t, http.StatusOK, "GET", one, nil)["api_keys"].([]any) {
		if k.(map[string]any)["revoked_at"] != nil {
			revokedAt++
		}
	}
	if revokedAt != 1 {
		t.Errorf("22: %d revoked keys are shown, want one", revokedAt)
	}
	for _, bad := range []string{text, "floww_sa_" + strings.Repeat("x", 32), "nonsense", "floww_sa_"} {
		if r := s.As(bad).Do(t, "GET", "/api/whoami", nil); r.Status != http.StatusUnauthorized {
			t.Errorf("34: %s with %q, want 401", r, bad)
		}
	}

	if n := len(listed(other, organization)); n != 0 {
		t.Errorf("23: another tenant sees %d accounts", n)
	}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", one, nil}, {"PATCH", one, map[string]any{"name": "x"}}, {"DELETE", one, nil}, {"POST", revoke, nil},
		{"POST", one + "/api_keys", map[string]any{"name": "x"}},
		{"POST", "/api/service_accounts", map[string]any{"name": "x", "organization_id": organization}},
	} {
		other.JSON(t, http.StatusNotFound, c.method, c.path, c.body)
	}
	s.JSON(t, http.StatusBadRequest, "GET", "/api/service_accounts", nil)

	s.JSON(t, http.StatusOK, "PATCH", one, map[string]any{"name": "renamed"})
	if got := s.JSON(t, http.StatusOK, "GET", one, nil); got["name"] != "renamed" || got["role"] != "member" {
		t.Errorf("24: got %v", got)
	}

	last := s.AccountKey(t, account, nil)
	last.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)
	if gone := s.JSON(t, http.StatusOK, "DELETE", one, nil); gone["success"] != true || gone["message"] != "Service account "+account+" deleted" {
		t.Errorf("deleted: %v", gone)
	}
	if r := last.Do(t, "GET", "/api/whoami", nil); r.Status != http.StatusUnauthorized {
		t.Errorf("a key of a deleted account: %s, want 401", r)
	}
	s.JSON(t, http.StatusNotFound, "GET", one, nil)
}

// What a role may do to service accounts, and that nobody makes one that is
// above himself.
func TestServiceAccountsByRole(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	organization := s.Organization(t)
	for _, c := range []struct {
		role string
		want int
	}{{"viewer", http.StatusForbidden}, {"member", http.StatusForbidden}, {"admin", http.StatusOK}} {
		client := s.RoleClient(t, c.role)
		target := s.Account(t, "viewer")
		one := "/api/service_accounts/" + target
		k := s.AccountKey(t, target, nil).ID
		for _, r := range []struct {
			method, path string
			body         any
		}{
			{"POST", "/api/service-accounts", map[string]any{"name": "x", "organizationId": organization}},
			{"GET", one, nil},
			{"PATCH", one, map[string]any{"name": "x"}},
			{"PATCH", one, map[string]any{"role": "admin"}},
			{"POST", one + "/api_keys", map[string]any{"name": "x"}},
			{"POST", one + "/api_keys/" + k + "/rotate", map[string]any{}},
			{"POST", one + "/api_keys/" + k + "/revoke", nil},
			{"DELETE", one, nil},
		} {
			if got := client.Do(t, r.method, r.path, r.body); got.Status != c.want {
				t.Errorf("%s as %s: %s, want %d", r.method+" "+r.path, c.role, got, c.want)
			}
		}
		results := client.JSON(t, http.StatusOK, "GET", "/api/service_accounts?organization_id="+organization, nil)["results"].([]any)
		if (len(results) > 0) != (c.want == http.StatusOK) {
			t.Errorf("the list as %s has %d accounts", c.role, len(results))
		}
	}
	admin := s.RoleClient(t, "admin")
	for _, role := range []string{"owner", "OWNER", "none", ""} {
		problem(t, admin.Client, http.StatusBadRequest, "POST", "/api/service_accounts", map[string]any{"name": "x", "organization_id": organization, "role": role})
		problem(t, admin.Client, http.StatusBadRequest, "PATCH", "/api/service_accounts/"+admin.AccountID, map[string]any{"role": role})
	}
	admin.JSON(t, http.StatusOK, "PATCH", "/api/service_accounts/"+admin.AccountID, map[string]any{"role": "viewer"})
	problem(t, admin.Client, http.StatusForbidden, "PATCH", "/api/service_accounts/"+admin.AccountID, map[string]any{"role": "admin"})
}

// A rotated key works beside its successor for the overlap, and then no more.
func TestKeysAreRotatedAndEnd(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	account := s.Account(t, "viewer")
	works := func(c *apptest.Client) bool {
		t.Helper()
		return c.Do(t, "GET", "/api/whoami", nil).Status == http.StatusOK
	}
	rotate := func(k apptest.AccountKey, body any) map[string]any {
		t.Helper()
		return s.JSON(t, http.StatusOK, "POST", "/api/service-accounts/"+account+"/api-keys/"+k.ID+"/rotate", body)
	}
	old := s.AccountKey(t, account, map[string]any{"name": "deploys", "scope": []string{"read"}})
	next := rotate(old, nil)
	if next["name"] != "deploys" || next["scope"].([]any)[0] != "read" || next["previous"].(map[string]any)["id"] != old.ID {
		t.Errorf("rotated to %v", next)
	}
	ends, err := time.Parse(time.RFC3339, next["previous"].(map[string]any)["expires_at"].(string))
	if left := time.Until(ends); err != nil || left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("the old key ends in %v (%v), want a day", left, err)
	}
	if !works(old.Client) || !works(s.As(next["api_key"].(string))) {
		t.Error("in the overlap both keys must work")
	}
	short := s.AccountKey(t, account, nil)
	rotate(short, map[string]any{"overlap_seconds": 1})
	apptest.Until(t, 20*time.Second, "the end of an overlap of a second", func() bool { return !works(short.Client) })
	if text := problem(t, short.Client, http.StatusUnauthorized, "GET", "/api/whoami", nil); text != "This API key has expired" {
		t.Errorf("an expired key: %q", text)
	}
	none := s.AccountKey(t, account, nil)
	rotate(none, map[string]any{"overlap_seconds": 0})
	if works(none.Client) {
		t.Error("without an overlap the old key must not work")
	}
	for _, overlap := range []any{-1, 31 * 24 * 3600, 1 << 62, 36028797018963968} {
		k := s.AccountKey(t, account, nil)
		problem(t, s.Client, http.StatusBadRequest, "POST", "/api/service_accounts/"+account+"/api_keys/"+k.ID+"/rotate", map[string]any{"overlap_seconds": overlap})
		if !works(k.Client) {
			t.Errorf("an overlap of %v ended the key", overlap)
		}
	}
	problem(t, s.Client, http.StatusBadRequest, "POST", "/api/service_accounts/"+account+"/api_keys", map[string]any{"name": "late", "expires_at": "2020-01-01T00:00:00Z"})
	brief := s.AccountKey(t, account, map[string]any{"expires_at": time.Now().Add(time.Second).Format(time.RFC3339Nano)})
	apptest.Until(t, 20*time.Second, "the end of a key that lives a second", func() bool { return !works(brief.Client) })
}
