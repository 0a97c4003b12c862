package client

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const workflowID = "01890a5d-ac96-774b-bcce-b302099a8057"

func TestReadProject(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       Project
	}{
		{"name alone", "name: hello", Project{Name: "hello", Entrypoint: "main.ts"}},
		{"all", "# my project\nworkflowId: " + workflowID + "\nname: \"a: b\"\ndescription: >\n  two\n  lines\nversion: 1.10\nentrypoint: src/main.ts # here\nbuild:\n  type: docker\nproviders: {slack: {default: x}}\nown: [1]\n",
			Project{WorkflowID: workflowID, Name: "a: b", Description: "two lines", Version: "1.10", Entrypoint: "src/main.ts"}},
		{"empty values", "name: hello\nworkflowId:\nentrypoint: null\ndescription: ''\n", Project{Name: "hello", Entrypoint: "main.ts"}},
		{"numbers are texts", "name: 2024\nversion: 1", Project{Name: "2024", Version: "1", Entrypoint: "main.ts"}},
		{"JSON", `{"name": "hello"}`, Project{Name: "hello", Entrypoint: "main.ts"}},
		{"document marks", "---\nname: hello\n...\n", Project{Name: "hello", Entrypoint: "main.ts"}},
		{"Windows line ends", "name: hello\r\nversion: '2'\r\n", Project{Name: "hello", Version: "2", Entrypoint: "main.ts"}},
		{"anchor", "name: &n hello\nown: *n", Project{Name: "hello", Entrypoint: "main.ts"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadProject(project(t, map[string]string{"floww.yaml": tc.text}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(Project{}, "Dir")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadProjectFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"floww.yaml has no name; add a line"}},
		{"comment alone", "# name: x\n", []string{"floww.yaml has no name"}},
		{"no name", "entrypoint: main.ts", []string{"floww.yaml has no name"}},
		{"blank name", "name: '  '", []string{"floww.yaml has no name"}},
		{"name is a list", "a: 1\nname: [x]", []string{"floww.yaml:2: name must be a text"}},
		{"name is elsewhere", "a: &a x\nname: *a", []string{"floww.yaml:2: name must be a text"}},
		{"bad id", "name: x\nworkflowId: 17\n", []string{`floww.yaml:2: workflowId "17" is not a UUID; remove the line`}},
		{"not YAML", "name: x\n  y: 1\n", []string{"floww.yaml:1: not valid YAML"}},
		{"not closed", "name: x\nversion: \"1\n", []string{"floww.yaml:2: not valid YAML"}},
		{"twice", "name: x\nname: y\n", []string{"floww.yaml:2: not valid YAML", "already defined"}},
		{"a list", "- name: x", []string{"floww.yaml:1: expected lines like"}},
		{"a text", "hello", []string{"floww.yaml:1: expected lines like"}},
		{"two documents", "name: x\n---\nname: y\n", []string{"more than one document"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadProject(project(t, map[string]string{"floww.yaml": tc.text}))
			wantError(t, err, tc.want...)
		})
	}
	_, err := ReadProject(t.TempDir())
	wantError(t, err, "there is no floww.yaml in ", "name: my-workflow")
}

func TestWriteWorkflowID(t *testing.T) {
	t.Parallel()
	const id = "workflowId: " + workflowID
	for _, tc := range []struct{ name, before, after string }{
		{"absent", "# Hello.\n\nname: hello # the name\nown:\n  - 1\n", "# Hello.\n\nname: hello # the name\nown:\n  - 1\n" + id + "\n"},
		{"no line end", "name: hello", "name: hello\n" + id + "\n"},
		{"Windows line ends", "name: hello\r\nversion: 1", "name: hello\r\nversion: 1\r\n" + id + "\r\n"},
		{"empty", "workflowId:\nname: hello\n", id + "\nname: hello\n"},
		{"empty with comment", "name: hello\nworkflowId:   # later\n", "name: hello\n" + id + "   # later\n"},
		{"null", "name: hello\nworkflowId: null\r\n", "name: hello\n" + id + "\r\n"},
		{"empty text", "'workflowId': \"\"\nname: hello\n", "'workflowId': " + workflowID + "\nname: hello\n"},
		{"there already", id + "\nname: hello\n", id + "\nname: hello\n"},
		{"after a block", "name: hello\ndescription: |\n  a\n  b", "name: hello\ndescription: |\n  a\n  b\n" + id + "\n"},
		{"after comments", "name: hello\n# the end", "name: hello\n# the end\n" + id + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, map[string]string{"floww.yaml": tc.before})
			if err := WriteWorkflowID(dir, workflowID); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.after, read(t, dir, "floww.yaml")); diff != "" {
				t.Errorf("floww.yaml (-want +got):\n%s", diff)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("the folder has %v, %v", left, err)
			}
		})
	}
}

func TestWriteWorkflowIDFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, before, want string }{
		{"another id", "name: x\nworkflowId: other\n", "floww.yaml:2 has another workflowId"},
		{"JSON", `{"name": "x"}`, "is written in a way that no line can be added to"},
		{"end of document", "name: x\n...\n", "is written in a way that no line can be added to"},
		{"indented", "  name: x\n", "is written in a way that no line can be added to"},
		{"not YAML", "name: [\n", "not valid YAML"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, map[string]string{"floww.yaml": tc.before})
			err := WriteWorkflowID(dir, workflowID)
			wantError(t, err, tc.want, `add the line "workflowId: `+workflowID+`"`)
			if got := read(t, dir, "floww.yaml"); got != tc.before {
				t.Errorf("floww.yaml was changed to %q", got)
			}
		})
	}
}

func TestWriteWorkflowIDKeepsFile(t *testing.T) {
	t.Parallel()
	dir := project(t, map[string]string{"shared.yaml": "name: x\n"})
	if err := os.Chmod(filepath.Join(dir, "shared.yaml"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("shared.yaml", filepath.Join(dir, "floww.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := WriteWorkflowID(dir, workflowID); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(dir, "shared.yaml"))
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("the file behind the link has mode %v, %v", info.Mode(), err)
	}
	if link, err := os.Readlink(filepath.Join(dir, "floww.yaml")); err != nil || link != "shared.yaml" {
		t.Errorf("the link leads to %q, %v", link, err)
	}
	if got := read(t, dir, "shared.yaml"); !strings.Contains(got, workflowID) {
		t.Errorf("the file is %q", got)
	}
}

// TestWorkflowIDProperty writes an id into files of many forms: what was
// written can be read, and nothing else has changed.
func TestWorkflowIDProperty(t *testing.T) {
	t.Parallel()
	line := rapid.SampledFrom([]string{
		"# a comment", "", "version: 1.0", "description: |\n  a\n\n  b", "description: 'it''s'", "own:\n  workflowId: nested", "own: {a: [1, 2]}",
		"workflowId:", "workflowId: ~ # none", "entrypoint: src/a.ts", "other: \"x\\ny\"", "deep:\n- a\n- b: c",
	})
	rapid.Check(t, func(t *rapid.T) {
		lines := append([]string{"name: x"}, rapid.SliceOfNDistinct(line, 0, 6, func(s string) string { key, _, _ := strings.Cut(s, ":"); return key }).Draw(t, "lines")...)
		ending := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		text := strings.ReplaceAll(strings.Join(lines, "\n")+rapid.SampledFrom([]string{"", "\n", "\n\n"}).Draw(t, "end"), "\n", ending)
		changed, err := withWorkflowID("floww.yaml", []byte(text), workflowID)
		if err != nil {
			t.Fatalf("%v in\n%q", err, text)
		}
		m, err := parseManifest("floww.yaml", changed)
		if err != nil || m.fields["workflowId"].text != workflowID {
			t.Fatalf("read %v, %v from\n%q", m.fields, err, changed)
		}
		rest := strings.Replace(string(changed), workflowID, "", 1)
		for _, part := range lines {
			if part = strings.ReplaceAll(part, "\n", ending); !strings.HasPrefix(part, "workflowId") && !strings.Contains(rest, part) {
				t.Fatalf("%q is gone from\n%q", part, changed)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add("name: x\nworkflowId:\n")
	f.Add("{name: &a [*a]}")
	f.Add("? - a\n: |\n  x\n---\n...")
	f.Fuzz(func(t *testing.T, text string) {
		changed, err := withWorkflowID("floww.yaml", []byte(text), workflowID)
		if err != nil {
			return
		}
		m, err := parseManifest("floww.yaml", changed)
		if err != nil || m.fields["workflowId"].text != workflowID {
			t.Errorf("%q became %q, which is read as %v, %v", text, changed, m.fields, err)
		}
	})
}
