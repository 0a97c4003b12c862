package workos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// client makes requests to the API of WorkOS.
type client struct {
	url, key string
	http     *http.Client
}

func newClient(c Config) *client { return &client{url: c.URL, key: c.APIKey, http: c.HTTP} }

// refusal is an answer of the API that says no. The two spellings of its parts
// are those of OAuth and of the rest of the API.
type refusal struct {
	Status           int
	Code             string `json:"code"`
	Message          string `json:"message"`
	OAuthCode        string `json:"error"`
	OAuthDescription string `json:"error_description"`
}

// Error tells the log what WorkOS said.
func (r *refusal) Error() string {
	return fmt.Sprintf("WorkOS answers %d %s%s: %s%s", r.Status, r.OAuthCode, r.Code, r.OAuthDescription, r.Message)
}

// is reports whether the refusal has this code.
func (r *refusal) is(code string) bool { return r.Code == code || r.OAuthCode == code }

// call makes a request with the API key. The body goes as JSON; into is filled
// from the answer unless it is nil. A refusal of WorkOS is a *refusal, and that
// WorkOS does not answer, fault.Unavailable.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	address := c.url + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("ask WorkOS: %w", err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return fmt.Errorf("ask WorkOS: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return issuer.Unavailable(err)
	}
	defer response.Body.Close()
	if err := answered(response); err != nil || into == nil {
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return issuer.Unavailable(fmt.Errorf("read what WorkOS answers: %w", err))
	}
	return nil
}

// answered returns why an answer is none.
func answered(response *http.Response) error {
	status := response.StatusCode
	if status >= http.StatusOK && status < http.StatusMultipleChoices {
		return nil
	}
	said := &refusal{}
	// An answer without JSON still has its status.
	_ = json.NewDecoder(response.Body).Decode(said)
	said.Status = status
	if status < http.StatusBadRequest || status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return issuer.Unavailable(said)
	}
	return said
}
