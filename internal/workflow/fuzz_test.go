package workflow

import (
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// FuzzSourceCheck holds that files of a deployment stay in their folder, and have
// one name each.
func FuzzSourceCheck(f *testing.F) {
	for _, name := range []string{"main.ts", "a/../../b", "/a", `a\b`, "C:/a", "a//b", "./a", "", "a\x00", "node_modules/@a/b/index.js", "a/.", ".."} {
		f.Add(name, name)
	}
	f.Fuzz(func(t *testing.T, name, entrypoint string) {
		err := Source{Files: map[string]string{name: "x"}, Entrypoint: entrypoint}.Check()
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) || len(err.Error()) > 2000 {
				t.Fatalf("%q, %q: %v", name, entrypoint, err)
			}
			return
		}
		if !filepath.IsLocal(name) || filepath.Clean(name) != name {
			t.Fatalf("the file %q is taken", name)
		}
	})
}
