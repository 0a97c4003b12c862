package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Secret is a value that code can ask for, without that value.
type Secret struct {
	ID        string    `json:"id"`
	Provider  string    `json:"provider"`
	Name      string    `json:"name"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Secrets returns the secrets of the namespace by provider and name, both exact;
// empty for all.
func (c *Client) Secrets(ctx context.Context, provider, name string) ([]Secret, error) {
	namespace, err := c.namespace(ctx)
	if err != nil {
		return nil, err
	}
	var list struct {
		Results []Secret `json:"results"`
	}
	query := url.Values{"namespaceId": {namespace}}
	if provider != "" {
		query.Set("provider", provider)
	}
	if name != "" {
		query.Set("name", name)
	}
	err = c.call(ctx, http.MethodGet, "/api/secrets", query, nil, &list)
	return list.Results, err
}

// PutSecret stores a secret in place of the one of its provider and name, and
// reports whether there was one.
func (c *Client) PutSecret(ctx context.Context, provider, name, value string) (updated bool, err error) {
	namespace, err := c.namespace(ctx)
	if err != nil {
		return false, err
	}
	var stored struct {
		Updated bool `json:"updated"`
	}
	body := map[string]string{"namespaceId": namespace, "provider": provider, "name": name, "value": value}
	err = c.call(ctx, http.MethodPost, "/api/secrets", nil, body, &stored)
	return stored.Updated, err
}

// DeleteSecret deletes a secret.
func (c *Client) DeleteSecret(ctx context.Context, secret string) error {
	resp, err := c.send(ctx, http.MethodDelete, c.address("/api/secrets/"+url.PathEscape(secret), nil), nil, nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
