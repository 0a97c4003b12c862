package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/route"
)

// walker opens pages by the links on them.
type walker struct {
	server  *server
	browser *http.Client
	// pages are the routes of pages, and names tells which one an address is of.
	pages []route.Info
	names *http.ServeMux
	// walked are addresses by what they show, in the order in which they came.
	walked []walked
	seen   map[string]bool
	// busy is the workflow with the most executions.
	busy string
	// failed are pages that are no good.
	failed []error
	scripts
}

type walked struct{ name, address string }

// scripts is how much script the page fetches that has the most of it.
type scripts struct{ sent, raw, files int }

// mostWalked bounds how many kinds of addresses are looked at.
const mostWalked = 600

func (s *server) walker(ctx context.Context, pages []route.Info) (*walker, error) {
	browser, err := s.logIn(ctx)
	if err != nil {
		return nil, err
	}
	w := &walker{server: s, browser: browser, pages: pages, names: http.NewServeMux(), seen: map[string]bool{}}
	for _, p := range pages {
		w.names.Handle("GET "+p.Path, http.NotFoundHandler())
	}
	if w.busy, err = w.busiest(ctx); err != nil {
		return nil, err
	}
	return w, w.walk(ctx)
}

var (
	linked = regexp.MustCompile(` href="([^"]*)"`)
	script = regexp.MustCompile(`<script src="([^"]*)"`)
)

// walk opens a page of each kind that links lead to.
func (w *walker) walk(ctx context.Context) error {
	// What is sought is in many names, in one, and in none.
	next := []string{"/workflows/" + w.busy}
	for _, form := range []string{"/search?q=", "/workflows?search=", "/executions?text=", "/admin/users?search="} {
		for _, text := range []string{"workflow", "workflow c 77", "nothing at all"} {
			next = append(next, form+url.QueryEscape(text))
		}
	}
	next = append(next, "/", "/admin", "/device")
	for len(next) > 0 && len(w.walked) < mostWalked {
		address := next[0]
		next = next[1:]
		name, ok := w.name(address)
		if !ok || w.seen[name] {
			continue
		}
		w.seen[name] = true
		res, body, err := get(ctx, w.browser, w.server.url+address)
		if err != nil {
			return err
		}
		if to := res.Header.Get("Location"); to != "" {
			next = append(next, to)
			continue
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		if res.StatusCode != http.StatusOK {
			w.failed = append(w.failed, fmt.Errorf("%s answers %s", address, res.Status))
			continue
		}
		w.walked = append(w.walked, walked{name, address})
		if err := w.weigh(ctx, body); err != nil {
			return err
		}
		for _, link := range linked.FindAllSubmatch(body, -1) {
			if to, ok := resolve(address, html.UnescapeString(string(link[1]))); ok {
				next = append(next, to)
			}
		}
	}
	return nil
}

// busiest finds the workflow with the most executions.
func (w *walker) busiest(ctx context.Context) (string, error) {
	var page struct {
		Results []struct{ ID string }
	}
	if err := w.server.call(ctx, http.MethodGet, "/api/workflows?search="+url.QueryEscape("workflow a 0"), nil, &page); err != nil {
		return "", err
	}
	if len(page.Results) == 0 {
		return "", errors.New("the busiest workflow is not there")
	}
	return page.Results[0].ID, nil
}

// resolve is where a link leads on this server.
func resolve(from, link string) (string, bool) {
	base, err := url.Parse(from)
	if err != nil {
		return "", false
	}
	to, err := base.Parse(link)
	if err != nil || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(to.Path, "/") {
		return "", false
	}
	return to.RequestURI(), true
}

// name tells what an address shows: its route, with what is not an id in it and in
// its query. It reports false for what is no page.
func (w *walker) name(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	_, pattern := w.names.Handler(&http.Request{Method: http.MethodGet, URL: u, Host: "x"})
	if pattern == "" {
		return "", false
	}
	parts := strings.Split(u.EscapedPath(), "/")
	for i, part := range parts {
		parts[i] = without(part)
	}
	name := strings.Join(parts, "/")
	query := u.Query()
	var shown []string
	for key, values := range query {
		shown = append(shown, key+"="+without(values[0]))
	}
	slices.Sort(shown)
	if len(shown) > 0 {
		name += "?" + strings.Join(shown, "&")
	}
	return name, true
}

var (
	identifier = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	number     = regexp.MustCompile(`[0-9]{3,}`)
	token      = regexp.MustCompile(`[A-Za-z0-9_-]{22,}`)
)

// without leaves what differs from one thing to the next out of a text.
func without(text string) string {
	return token.ReplaceAllString(number.ReplaceAllString(identifier.ReplaceAllString(text, "…"), "…"), "…")
}

// weigh adds up the scripts that a page fetches.
func (w *walker) weigh(ctx context.Context, page []byte) error {
	var all scripts
	for _, found := range script.FindAllSubmatch(page, -1) {
		for _, zipped := range []bool{false, true} {
			n, err := w.size(ctx, string(found[1]), zipped)
			if err != nil {
				return err
			}
			if zipped {
				all.sent += n
			} else {
				all.raw += n
			}
		}
		all.files++
	}
	if all.sent > w.sent {
		w.scripts = all
	}
	return nil
}

// size is how many bytes an asset has on its way.
func (w *walker) size(ctx context.Context, path string, zipped bool) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.url+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	if zipped {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	res, err := w.browser.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	n, err := b.ReadFrom(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", path, res.Status)
	}
	return int(n), err
}

// paged is how long a page took.
type paged struct {
	walked
	took latencies
}

// measure asks for each page again and again, and notes the slow ones.
func (w *walker) measure(ctx context.Context, r *report) error {
	var all []paged
	for _, page := range w.walked {
		p := paged{walked: page}
		for range pageRounds {
			begin := time.Now()
			res, _, err := get(ctx, w.browser, w.server.url+page.address)
			if err != nil {
				return err
			}
			if res.StatusCode != http.StatusOK {
				return fmt.Errorf("%s answers %s", page.address, res.Status)
			}
			p.took = append(p.took, time.Since(begin))
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b paged) int { return int(b.took.at(50) - a.took.at(50)) })
	w.note(r, all)
	return w.complete(r)
}

// complete notes the pages that no link leads to, and fails when one is no good.
func (w *walker) complete(r *report) error {
	reached := map[string]bool{}
	for _, page := range w.walked {
		u, err := url.Parse(page.address)
		if err != nil {
			return err
		}
		_, pattern := w.names.Handler(&http.Request{Method: http.MethodGet, URL: u, Host: "x"})
		reached[pattern] = true
	}
	var left []string
	for _, p := range w.pages {
		if !reached["GET "+p.Path] {
			left = append(left, p.Path)
		}
	}
	r.add("pages that no link leads to, and that are not measured", "%s", strings.Join(left, ", "))
	return errors.Join(w.failed...)
}

// note puts the figures into the report: of all pages together, of the slowest
// ones, and of all that take too long.
func (w *walker) note(r *report, all []paged) {
	var medians, every latencies
	for _, p := range all {
		medians, every = append(medians, p.took.at(50)), append(every, p.took...)
	}
	const behind = "pages with 10,000 workflows and 1 M executions: "
	r.add(behind+"server time", "%d kinds of addresses of %d pages: half of them in %s, the slowest in %s (medians of %d); max of all %s",
		len(all), len(w.pages), ms(medians.at(50)), ms(medians.at(100)), pageRounds, ms(every.at(100)))
	for i, p := range all {
		if i < 5 || p.took.at(50) > pageBound {
			r.add(fmt.Sprintf("%sthe %d. slowest", behind, i+1), "%s: p50 %s, max %s", p.name, ms(p.took.at(50)), ms(p.took.at(100)))
		}
	}
	r.add("script that a first load fetches", "%.1f kB as sent, %.1f kB unpacked, in %d files", float64(w.sent)/1000, float64(w.raw)/1000, w.files)
}
