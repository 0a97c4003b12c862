package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDependenciesAreReviewed compares the modules inside the binary with the
// list that people have looked at.
func TestDependenciesAreReviewed(t *testing.T) {
	t.Parallel()
	out, err := goList("-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "./cmd/flowwd")
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for path := range strings.FieldsSeq(string(out)) {
		linked[path] = true
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/dependencies.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		path, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			t.Errorf("docs/dependencies.txt: %s has no reason", path)
		}
		if !linked[path] {
			t.Errorf("docs/dependencies.txt: %s is not in the binary any more; take it out", path)
		}
		listed = append(listed, path)
	}
	if !slices.IsSorted(listed) {
		t.Error("docs/dependencies.txt is not sorted")
	}
	for path := range linked {
		if !slices.Contains(listed, path) {
			t.Errorf("the binary contains %s, which docs/dependencies.txt does not list: see what it pulls in and whether it is well kept, then add it with its reason", path)
		}
	}
}
