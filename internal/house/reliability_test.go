package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What these pages promise names the tests that show it; a promise whose test was
// renamed or removed is an empty one.
func TestPromisesHaveTheirTests(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile("`(internal/[a-z0-9_/]+_test\\.go)` `((?:Test|Fuzz)[A-Za-z]+)`")
	heading := regexp.MustCompile(`^\| (Promise|Attack|What comes from outside|---)`)
	for file, least := range map[string]int{"docs/reliability.md": 20, "docs/security.md": 30} {
		page, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		promises := 0
		for line := range strings.Lines(string(page)) {
			if !strings.HasPrefix(line, "| ") || heading.MatchString(line) {
				continue
			}
			promises++
			found := named.FindAllStringSubmatch(line, -1)
			if len(found) == 0 {
				t.Errorf("%s promises without a test, `path_test.go` `TestName`: %s", file, line)
			}
			for _, name := range found {
				source, err := os.ReadFile(filepath.Join(root, name[1]))
				if err != nil || !strings.Contains(string(source), "\nfunc "+name[2]+"(") {
					t.Errorf("%s names %s of %s, which is not there", file, name[2], name[1])
				}
			}
		}
		if promises < least {
			t.Errorf("%s has only %d promises that can be read, want at least %d", file, promises, least)
		}
	}
}
