package trigger

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		path, escaped string
		want          map[string]string
		refused       bool
	}{
		{"/webhook/w/a/:id", "/webhook/w/a/1", map[string]string{"id": "1"}, false},
		{"/webhook/w/:a/x/:b", "/webhook/w/1/x/2", map[string]string{"a": "1", "b": "2"}, false},
		{"/webhook/w/:a", "/webhook/w/x%2Fy%20z", map[string]string{"a": "x/y z"}, false},
		{"/webhook/w/:a", "/webhook/w/b/", map[string]string{"a": "b"}, false},
		{"/webhook/w/:a", "/webhook/w", nil, true},
		{"/webhook/w/:a", "/webhook/w/", nil, true},
		{"/webhook/w/:a", "/webhook/w/1/2", nil, true},
		{"/webhook/w/:a/:b", "/webhook/w//2", nil, true},
		{"/webhook/w/a/:id", "/webhook/w/b/1", nil, true},
		{"/webhook/w/:a", "/webhook/w/%zz", nil, true},
	} {
		got, ok := match(tc.path, split(tc.escaped))
		if ok == tc.refused {
			t.Errorf("%s matches %s: %v", tc.escaped, tc.path, ok)
		} else if diff := cmp.Diff(tc.want, got); ok && diff != "" {
			t.Errorf("%s at %s (-want +got):\n%s", tc.escaped, tc.path, diff)
		}
	}
}

func TestMeet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b, example string
		want          overlap
	}{
		{"/a/b", "/a/b", "/a/b", same},
		{"/a/:x", "/a/:y", "/a/x", same},
		{"/a/:x", "/a/new", "/a/new", nested},
		{"/:x/b", "/a/:y", "/a/b", ambiguous},
		{"/:x/b/:z", "/:x/:y/c", "/x/b/c", ambiguous},
		{"/a/:x", "/b/:x", "", apart},
		{"/a/:x", "/a/:x/c", "", apart},
	} {
		if how, example := meet(tc.a, tc.b); how != tc.want || example != tc.example {
			t.Errorf("%s and %s: %d %s, want %d %s", tc.a, tc.b, how, example, tc.want, tc.example)
		}
	}
}

// Two paths meet when there is an address that both match, and of two that
// nest, the one that is found first is the one that matches less.
func TestMeetAgreesWithMatch(t *testing.T) {
	t.Parallel()
	literals := []string{"a", "b", "c"}
	path := rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", ":x", ":y", ":z"}), 1, 3).Draw(t, "segments")
		return "/" + strings.Join(parts, "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := path.Draw(t, "a"), path.Draw(t, "b")
		inA, inB, both := 0, 0, 0
		count := func(segments []string) {
			_, isA := match(a, segments)
			_, isB := match(b, segments)
			if isA {
				inA++
			}
			if isB {
				inB++
			}
			if isA && isB {
				both++
			}
		}
		for _, x := range literals {
			count([]string{x})
			for _, y := range literals {
				count([]string{x, y})
				for _, z := range literals {
					count([]string{x, y, z})
				}
			}
		}
		want := apart
		switch {
		case both == 0:
		case both == inA && both == inB:
			want = same
		case both == inA || both == inB:
			want = nested
		default:
			want = ambiguous
		}
		how, _ := meet(a, b)
		if how != want {
			t.Fatalf("%s and %s meet as %d, want %d", a, b, how, want)
		}
		if how == nested && (before(a, b) < 0) != (inA < inB) {
			t.Fatalf("%s (%d) comes before %s (%d): %v", a, inA, b, inB, before(a, b) < 0)
		}
	})
}
