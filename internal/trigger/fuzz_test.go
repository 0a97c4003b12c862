package trigger

import (
	"strings"
	"testing"
)

// FuzzMatch holds that an address is a path's only with a value for each of its
// parameters, and that of two paths that match, meet knows.
func FuzzMatch(f *testing.F) {
	f.Add("/webhook/w/:a/x", "/webhook/w/:b/:c", "/webhook/w/1/x")
	f.Add("/webhook/w/a", "/webhook/w/:a", "/webhook/w/%61/")
	f.Add("/:a", "//", "/%2f%zz")
	f.Fuzz(func(t *testing.T, a, b, address string) {
		segments := split(address)
		values, matches := match(a, segments)
		if matches {
			params := map[string]bool{}
			for s := range strings.SplitSeq(strings.Trim(a, "/"), "/") {
				if isParam(s) {
					params[s[1:]] = true
				}
			}
			if len(values) != len(params) {
				t.Fatalf("%q at %q: %q", address, a, values)
			}
			for name, value := range values {
				if value == "" || !params[name] {
					t.Fatalf("%q at %q: the parameter %q is %q", address, a, name, value)
				}
			}
		}
		a, b = "/"+strings.Trim(a, "/"), "/"+strings.Trim(b, "/")
		_, also := match(b, segments)
		how, example := meet(a, b)
		if matches && also && how == apart {
			t.Fatalf("%q is both %q and %q, which are said to be apart", address, a, b)
		}
		if back, _ := meet(b, a); back != how {
			t.Fatalf("%q meets %q as %d (%s), and the other way round as %d", a, b, how, example, back)
		}
		if before(a, b)+before(b, a) != 0 {
			t.Fatalf("%q and %q each come first", a, b)
		}
	})
}
