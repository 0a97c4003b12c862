package route

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTreeFindsTheMostLiteralRoute(t *testing.T) {
	t.Parallel()
	var tr tree
	for _, p := range []string{
		"GET /", "GET /a", "GET /a/{id}", "GET /a/{id}/logs", "GET /a/workflows/{id}", "GET /a/workflows/{id}/logs",
		"POST /a/b", "DELETE /a/{x}", "POST /hook/{path...}", "PUT /hook/fixed",
	} {
		method, pattern, _ := strings.Cut(p, " ")
		if err := tr.add(method, pattern, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		request, pattern string
		values           []string
		allowed          []string
	}{
		{"GET /", "/", nil, nil},
		{"HEAD /a", "/a", nil, nil},
		{"GET /a/1", "/a/{id}", []string{"1"}, nil},
		{"DELETE /a/1", "/a/{x}", []string{"1"}, nil},
		{"GET /a/1/logs", "/a/{id}/logs", []string{"1"}, nil},
		{"GET /a/workflows/1", "/a/workflows/{id}", []string{"1"}, nil},
		{"GET /a/workflows/1/logs", "/a/workflows/{id}/logs", []string{"1"}, nil},
		// The place where http.ServeMux sees a conflict: literals go first.
		{"GET /a/workflows/logs", "/a/workflows/{id}", []string{"logs"}, nil},
		{"GET /a/workflows", "/a/{id}", []string{"workflows"}, nil},
		// A literal that lacks the method does not hide a wildcard that has it.
		{"GET /a/b", "/a/{id}", []string{"b"}, nil},
		{"POST /a/b", "/a/b", nil, nil},
		{"PUT /a/b", "", nil, []string{"DELETE", "GET", "POST"}},
		{"GET /a/x%2Fy", "/a/{id}", []string{"x/y"}, nil},
		{"GET /%61/x", "/a/{id}", []string{"x"}, nil},
		{"POST /hook", "/hook/{path...}", []string{""}, nil},
		{"POST /hook/a/b%20c", "/hook/{path...}", []string{"a/b c"}, nil},
		{"POST /hook/fixed", "/hook/{path...}", []string{"fixed"}, nil},
		{"PUT /hook/fixed", "/hook/fixed", nil, nil},
		{"GET /hook/fixed", "", nil, []string{"POST", "PUT"}},
		{"GET /a/1/other", "", nil, nil},
		{"GET /b", "", nil, nil},
		{"GET /a/%zz", "", nil, nil},
	} {
		t.Run(c.request, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(c.request, " ")
			m := tr.find(method, path)
			pattern := ""
			if m.leaf != nil {
				pattern = m.leaf.pattern
			}
			if pattern != c.pattern {
				t.Fatalf("found %q, want %q", pattern, c.pattern)
			}
			if m.leaf != nil {
				if diff := cmp.Diff(c.values, m.values, cmpEmpty); diff != "" {
					t.Error(diff)
				}
				return
			}
			slices.Sort(m.allowed)
			if diff := cmp.Diff(c.allowed, slices.Compact(m.allowed), cmpEmpty); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var cmpEmpty = cmp.Transformer("empty", func(s []string) string { return fmt.Sprintf("%q", s) })

func TestTreeRefusesBadPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, why string }{
		{"", "begins with /"},
		{"a", "begins with /"},
		{"/a/", "begins with /"},
		{"//a", "no empty"},
		{"/a/../b", "no empty, . or .."},
		{"/{}", "no good name"},
		{"/{a}/{a}", "no good name"},
		{"/{a...}/b", "must come last"},
		{"/{a...}/{b...}", "must come last"},
		{"/known", "registered already"},
		{"/x/{other}", "registered already"},
		{"/y/{other...}", "registered already"},
	} {
		t.Run(c.pattern, func(t *testing.T) {
			t.Parallel()
			var tr tree
			for _, p := range []string{"/known", "/x/{id}", "/y/{path...}"} {
				if err := tr.add("GET", p, nil); err != nil {
					t.Fatal(err)
				}
			}
			err := tr.add("GET", c.pattern, nil)
			if err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, want an error with %q", err, c.why)
			}
		})
	}
}

// The tree agrees with a plain search through all patterns.
func TestTreeAgreesWithSearch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var tr tree
		var patterns []string
		for _, p := range rapid.SliceOfN(rapid.Custom(drawPattern), 1, 12).Draw(t, "patterns") {
			if tr.add("GET", p, nil) == nil {
				patterns = append(patterns, p)
			}
		}
		path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 4).Draw(t, "path"), "/")
		got := ""
		if m := tr.find("GET", path); m.leaf != nil {
			got = m.leaf.pattern
			for i, name := range m.leaf.names {
				if strings.Contains(m.values[i], "/") && !strings.Contains(got, name+"...") {
					t.Fatalf("%s holds %q", name, m.values[i])
				}
			}
		}
		if want := search(patterns, path); got != want {
			t.Fatalf("%s in %q: found %q, want %q", path, patterns, got, want)
		}
	})
}

func drawPattern(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "{w}"}), 0, 3).Draw(t, "parts")
	for i, p := range parts {
		if p == "{w}" {
			parts[i] = fmt.Sprintf("{w%d}", i)
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "tail") == 0 {
		parts = append(parts, "{rest...}")
	}
	return "/" + strings.Join(parts, "/")
}

// search returns the matching pattern that is most literal from the left.
func search(patterns []string, path string) string {
	best, bestRank := "", ""
	want := slices.Collect(segments(path))
	for _, p := range patterns {
		have := slices.Collect(segments(p))
		rank, ok := "", true
		for i := range max(len(have), len(want)) {
			switch {
			case i < len(have) && strings.HasSuffix(have[i], "...}"):
				rank += "c"
			case i >= len(have) || i >= len(want):
				ok = false
			case strings.HasPrefix(have[i], "{"):
				rank += "b"
			case have[i] == want[i]:
				rank += "a"
			default:
				ok = false
			}
			if !ok || strings.HasSuffix(rank, "c") {
				break
			}
		}
		if ok && (best == "" || rank < bestRank) {
			best, bestRank = p, rank
		}
	}
	return best
}

func FuzzMatchable(f *testing.F) {
	for _, seed := range []string{"/", "/a/", "//", "/a//b", "/../a", "/a/./b", "*", "", "/%2e%2e/a", "/a%2F", "/\x00", "/hook/x/"} {
		f.Add(seed)
	}
	var tr tree
	for _, p := range []string{"/", "/a/{id}", "/hook/{path...}"} {
		if err := tr.add("GET", p, nil); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		path, ok := matchable(u)
		if !ok {
			return
		}
		m := tr.find("GET", path)
		if m.leaf != nil && len(m.values) != len(m.leaf.names) {
			t.Fatalf("%q: %d values for %d names", target, len(m.values), len(m.leaf.names))
		}
	})
}
