package upstream

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// listSize bounds a page of tags.
const listSize = 4 << 20

// linkForm is a link to a next page.
var linkForm = regexp.MustCompile(`^\s*<([^>]*)>\s*;\s*rel="?next"?`)

// page returns a page of tags, and the query of the next one; empty when there
// is none. The error is a refusal.
func (s *Storage) page(ctx context.Context, w http.ResponseWriter, organization id.ID, query string) (tags []string, next string, err error) {
	at := s.at(organization, "tags/list")
	at.RawQuery = query
	res, err := s.send(ctx, s.scope(organization), request{method: http.MethodGet, url: at})
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, "", refusal(w, res)
	}
	content, err := read(res, listSize)
	if err != nil {
		return nil, "", err
	}
	var body struct{ Tags []string }
	if json.Unmarshal(content, &body) != nil {
		return nil, "", because(errNonsense, "it gives a list of tags that is none")
	}
	tags = make([]string, 0, len(body.Tags))
	for _, t := range body.Tags {
		if registry.IsTag(t) {
			tags = append(tags, t)
		}
	}
	if link := linkForm.FindStringSubmatch(res.Header.Get("Link")); link != nil {
		if to, err := at.Parse(link[1]); err == nil {
			next = to.Query().Encode()
		}
	}
	return tags, next, nil
}

func (s *Storage) tags(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	tags, next, err := s.page(r.Context(), w, q.Organization, r.URL.Query().Encode())
	if err != nil {
		return err
	}
	if next != "" {
		w.Header().Set("Link", "<"+(&url.URL{Path: path(q, "/tags/list"), RawQuery: next}).String()+`>; rel="next"`)
	}
	content, err := json.Marshal(struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{registry.Repository(q.Organization), tags})
	if err != nil {
		return err
	}
	return write(w, r, "application/json", content)
}
