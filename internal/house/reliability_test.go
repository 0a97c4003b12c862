package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/reliability.md names the test of each promise; a promise whose test was
// renamed or removed is an empty one.
func TestPromisesHaveTheirTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs/reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(internal/[a-z0-9_/]+_test\\.go)` `(Test[A-Za-z]+)`")
	promises := 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Promise |") {
			continue
		}
		promises++
		found := named.FindAllStringSubmatch(line, -1)
		if len(found) == 0 {
			t.Errorf("docs/reliability.md promises without a test, `path_test.go` `TestName`: %s", line)
		}
		for _, name := range found {
			source, err := os.ReadFile(filepath.Join(root, name[1]))
			if err != nil || !strings.Contains(string(source), "\nfunc "+name[2]+"(t *testing.T)") {
				t.Errorf("docs/reliability.md names %s of %s, which is not there", name[2], name[1])
			}
		}
	}
	if promises < 10 {
		t.Errorf("docs/reliability.md has only %d promises that can be read", promises)
	}
}
