package apptest

import (
	"maps"
	"net/http"
	"testing"
)

// Account makes a service account with a role in the caller's only organization
// and returns its id.
func (c *Client) Account(t testing.TB, role string) string {
	t.Helper()
	made := c.JSON(t, http.StatusOK, "POST", "/api/service_accounts", map[string]any{
		"name": "a " + role, "organization_id": c.Organization(t), "role": role,
	})
	return made["id"].(string)
}

// AccountKey is a key of a service account, and a client that has it.
type AccountKey struct {
	*Client
	ID, AccountID string
}

// AccountKey makes a key of a service account. The members of more, such as
// scope, are sent too.
func (c *Client) AccountKey(t testing.TB, account string, more map[string]any) AccountKey {
	t.Helper()
	body := map[string]any{"name": "key"}
	maps.Copy(body, more)
	made := c.JSON(t, http.StatusOK, "POST", "/api/service_accounts/"+account+"/api_keys", body)
	return AccountKey{Client: c.As(made["api_key"].(string)), ID: made["id"].(string), AccountID: account}
}

// As returns the client with another credential.
func (c *Client) As(key string) *Client { return &Client{URL: c.URL, Key: key, HTTP: c.HTTP} }

// RoleClient makes a service account with a role and returns a client of it.
func (c *Client) RoleClient(t testing.TB, role string) AccountKey {
	t.Helper()
	return c.AccountKey(t, c.Account(t, role), nil)
}
