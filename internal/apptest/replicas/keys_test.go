//go:build external

package replicas

import (
	"net/http"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// What is taken back through one server is gone on all others before a second
// has passed, however often they have seen it.
func TestReplicasSeeWhatIsTakenBack(t *testing.T) {
	t.Parallel()
	servers := start(t, 2)
	first, second := servers[0], servers[1]
	account := first.Account(t, "member")
	one := "/api/service_accounts/" + account
	revoked, rotated, deleted := first.AccountKey(t, account, nil), first.AccountKey(t, account, nil), first.AccountKey(t, account, nil)
	for _, c := range []struct {
		what         string
		key          apptest.AccountKey
		method, path string
	}{
		{"a revoked key", revoked, "POST", one + "/api_keys/" + revoked.ID + "/revoke"},
		{"a rotated key", rotated, "POST", one + "/api_keys/" + rotated.ID + "/rotate"},
		{"a key of a deleted account", deleted, "DELETE", one},
	} {
		elsewhere := second.As(c.key.Key)
		elsewhere.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)
		first.JSON(t, http.StatusOK, c.method, c.path, map[string]any{"overlap_seconds": 0})
		apptest.Until(t, time.Second, "the end of "+c.what, func() bool {
			return elsewhere.Do(t, "GET", "/api/whoami", nil).Status == http.StatusUnauthorized
		})
	}
	weak := first.RoleClient(t, "admin")
	elsewhere := second.As(weak.Key)
	elsewhere.JSON(t, http.StatusOK, "GET", "/api/service_accounts/"+weak.AccountID, nil)
	first.JSON(t, http.StatusOK, "PATCH", "/api/service_accounts/"+weak.AccountID, map[string]any{"role": "viewer"})
	apptest.Until(t, time.Second, "the end of a role", func() bool {
		return elsewhere.Do(t, "GET", "/api/service_accounts/"+weak.AccountID, nil).Status == http.StatusForbidden
	})
}
