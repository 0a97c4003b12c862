package dashboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/workflow"
)

// What changed between two sources is shown within bounds, and what is not shown is
// said.
func TestDiffOf(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("line\n", maxDiffLines)
	many := map[string]string{}
	for i := range maxDiffFiles + 2 {
		many[fmt.Sprintf("f%03d.ts", i)] = "x\n"
	}
	for name, c := range map[string]struct {
		old, now  workflow.Source
		files     []string
		more, pkg int
		entry     string
	}{
		"nothing": {workflow.Source{Files: map[string]string{"a": "x"}}, workflow.Source{Files: map[string]string{"a": "x"}}, nil, 0, 0, ""},
		"each sort": {
			workflow.Source{Entrypoint: "a", Files: map[string]string{"a": "1\n2\n", "b": "x", "same": "x", "node_modules/p/i.js": "1"}},
			workflow.Source{Entrypoint: "c", Files: map[string]string{"a": "1\r\n3", "c": "x\n", "same": "x", "node_modules/p/i.js": "2", "lib/node_modules/q/i.js": "1"}},
			[]string{"a changed 6 false", "b removed 3 false", "c added 2 false"}, 0, 2, "a → c",
		},
		"a long file": {
			workflow.Source{Files: map[string]string{"a": "", "b": ""}}, workflow.Source{Files: map[string]string{"a": long, "b": "x"}},
			[]string{fmt.Sprintf("a changed %d true", maxDiffLines)}, 1, 0, "",
		},
		"a file that is too big": {workflow.Source{}, workflow.Source{Files: map[string]string{"a": strings.Repeat("x", maxDiffFile+1)}}, []string{"a added 0 true"}, 0, 0, ""},
	} {
		v := diffOf(c.old, c.now)
		var files []string
		for _, f := range v.Files {
			files = append(files, fmt.Sprintf("%s %s %d %t", f.Path, f.What, len(f.Lines), f.Cut))
		}
		if diff := cmp.Diff(c.files, files); diff != "" || v.More != c.more || v.Packages != c.pkg || v.Entry != c.entry {
			t.Errorf("%s: %d more, %d of packages, entry %q: %s", name, v.More, v.Packages, v.Entry, diff)
		}
	}
	if v := diffOf(workflow.Source{}, workflow.Source{Files: many}); len(v.Files) != maxDiffFiles || v.More != 2 {
		t.Errorf("of many files %d are shown, and %d more are said", len(v.Files), v.More)
	}
}
