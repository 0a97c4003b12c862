package apptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Client speaks to one server with one credential.
type Client struct {
	// URL is the server's address without a slash at its end.
	URL string
	// Key is the bearer credential; empty for none.
	Key  string
	HTTP *http.Client
}

// NewClient returns a Client with connections of its own, closed with the test.
// It follows no redirects.
func NewClient(t testing.TB, url, key string) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{URL: url, Key: key, HTTP: &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: stay}}
}

// Anonymous returns the client without its credential.
func (c *Client) Anonymous() *Client { return &Client{URL: c.URL, HTTP: c.HTTP} }

// Response is an answer, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// String shows the answer in a failure.
func (r Response) String() string { return fmt.Sprintf("%d %.2000s", r.Status, r.Body) }

// Try makes a request. The body is sent as it is when it is text or bytes, and
// as JSON otherwise; nil sends none.
func (c *Client) Try(method, path string, body any, headers ...string) (Response, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return Response{}, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.URL+path, reader)
	if err != nil {
		return Response{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols {
		return Response{Status: res.StatusCode, Header: res.Header}, nil // what follows is no body
	}
	read, err := io.ReadAll(res.Body)
	return Response{Status: res.StatusCode, Header: res.Header, Body: read}, err
}

// Do makes a request as Try does, and fails the test when there is no answer.
func (c *Client) Do(t testing.TB, method, path string, body any, headers ...string) Response {
	t.Helper()
	r, err := c.Try(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// JSON makes a request whose answer must have the given status, and returns its
// JSON object.
func (c *Client) JSON(t testing.TB, status int, method, path string, body any, headers ...string) map[string]any {
	t.Helper()
	r := c.Do(t, method, path, body, headers...)
	if r.Status != status {
		t.Fatalf("%s %s: %s, want status %d", method, path, r, status)
	}
	var object map[string]any
	if err := json.Unmarshal(r.Body, &object); err != nil {
		t.Fatalf("%s %s: %s: %v", method, path, r, err)
	}
	return object
}

// Until asks a condition again and again and fails the test when it is not met
// within the time.
func Until(t testing.TB, within time.Duration, what string, met func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !met() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
