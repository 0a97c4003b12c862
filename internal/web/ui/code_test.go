package ui

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Code in colours is the code, line by line, whatever is written in it.
func TestHighlight(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"main.ts":   "// <b>\nconst a = `x ${1 + 2}\n y`;\r\nexport default <T,>(v: T) => 1;",
		"view.tsx":  "const x = <div className=\"a\">{b}</div>;\n",
		"old.js":    "function f() { return /a\\/b/.test('x') }\n\n",
		"data.json": "{\n  \"a\": [1, true, null, \"<i>\"]\n}\n",
		"odd.ts":    "\x00\xff`'\"${{{ /* no end",
		"none.txt":  "a\nb",
		"empty.ts":  "",
		"long.ts":   strings.Repeat("const a = 1;\n", maxColoured/10),
	} {
		lines, err := Highlight(t.Context(), name, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		coloured := false
		for _, l := range lines {
			var line strings.Builder
			for _, p := range l {
				line.WriteString(p.Text)
				coloured = coloured || p.Class != ""
			}
			got = append(got, line.String())
		}
		want := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
		if n := len(want) - 1; n > 0 && want[n] == "" {
			want = want[:n]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %.1000s", name, diff)
		}
		if plain := name == "none.txt" || name == "empty.ts" || name == "long.ts" || name == "odd.ts"; !plain && !coloured {
			t.Errorf("%s has no colours", name)
		}
	}
}

// The lexers are those of the module that reads them.
func TestLexersAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/alecthomas/chroma/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"typescript", "javascript", "json"} {
		ours, err := lexers.ReadFile("lexers/" + name + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		published, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "lexers", "embedded", name+".xml"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, published) {
			t.Errorf("lexers/%s.xml is not the one of the chroma that go.mod pins: copy it", name)
		}
	}
}
