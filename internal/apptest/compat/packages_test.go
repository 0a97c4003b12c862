//go:build external

package compat

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

var (
	modules = flag.String("modules", "", "the folder node_modules with all packages of the list; a few are tried without it")
	table   = flag.String("table", "", "the page whose table is written anew")
)

//go:embed testdata/packages.txt
var list string

// sample are those that the tools of other tests bring along.
var sample = []string{"yaml", "uuid", "jose", "fast-deep-equal"}

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// trial is a package, and what a workflow does with it.
type trial struct{ name, imports, expression, problem string }

// TestPackages deploys a workflow for each package, as somebody does who has it
// in node_modules, and runs it.
func TestPackages(t *testing.T) {
	wanted := map[string]bool{}
	if *modules == "" {
		for _, name := range sample {
			wanted[name] = true
		}
	}
	dir := project(t)
	s := apptest.Start(t, apptest.Options{})
	var trials []trial
	for line := range strings.Lines(list) {
		part := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if len(part) != 3 || len(wanted) > 0 && !wanted[part[0]] {
			continue
		}
		one := trial{name: part[0], imports: part[1], expression: part[2]}
		one.problem = try(t, s, dir, one)
		if one.problem != "" && *table == "" {
			t.Errorf("%s: %s", one.name, one.problem)
		}
		t.Logf("%s %s", one.name, one.problem)
		trials = append(trials, one)
	}
	if *table != "" {
		write(t, trials)
	}
}

// project makes the folder of a project with the packages in it.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if *modules != "" {
		if said, err := exec.CommandContext(t.Context(), "cp", "-al", *modules, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		return dir
	}
	for _, name := range sample {
		if err := os.CopyFS(filepath.Join(dir, "node_modules", name), os.DirFS(filepath.Join("../../../.tools/node_modules", name))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// try returns what stops a package; empty when nothing does.
func try(t *testing.T, s *apptest.Server, dir string, one trial) string {
	t.Helper()
	code := one.imports + `;
import { Builtin } from "floww";
new Builtin().triggers.onWebhook({ path: "in", respond: "handler", handler: async () => String(` + one.expression + `) });
`
	for name, text := range map[string]string{"main.ts": code, "floww.yaml": "name: " + strings.NewReplacer("@", "", "/", " ", ".", " ").Replace(one.name) + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	deploy := exec.CommandContext(t.Context(), apptest.Binary(t), "deploy", dir)
	deploy.Env = append(os.Environ(), "FLOWW_TOKEN="+s.Key, "FLOWW_BACKEND_URL="+s.URL, "HOME="+dir)
	said, err := deploy.CombinedOutput()
	if err != nil {
		return brief(string(said))
	}
	path := regexp.MustCompile(`/webhook/[^\s]+`).FindString(string(said))
	if path = strings.Replace(path, "<workflow id>", "", 1); path == "" {
		return brief(string(said))
	}
	r := s.Anonymous().Do(t, "POST", path, nil)
	if r.Status == 200 && string(r.Body) == "true" {
		return ""
	}
	e := s.Execution(t, r.Header.Get("X-Floww-Execution-Id"))
	if e.Status == "completed" {
		return fmt.Sprintf("gives %.60s", r.Body)
	}
	return brief(e.ErrorMessage)
}

// brief is the first line that says what is wrong.
func brief(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "flowwd: Deployment validation failed: ")
		if line = strings.TrimPrefix(line, "node_modules/"); line != "" {
			line, _, _ = strings.Cut(line, "; ") // what to do about it is the same for all
			return strings.ReplaceAll(fmt.Sprintf("%.150s", line), "|", "/")
		}
	}
	return "no word about why"
}

const begin, end = "<!-- packages: written by make compat -->\n", "<!-- end of packages -->\n"

func write(t *testing.T, trials []trial) {
	t.Helper()
	page, err := os.ReadFile(*table)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", *table)
	}
	var runs []string
	var stopped strings.Builder
	for _, one := range trials {
		if one.problem == "" {
			runs = append(runs, one.name)
		} else {
			fmt.Fprintf(&stopped, "| %s | %s |\n", one.name, one.problem)
		}
	}
	text := fmt.Sprintf("%d of %d run: %s.\n\n| Package | What stops it |\n|---|---|\n%s", len(runs), len(trials), strings.Join(runs, ", "), stopped.String())
	if err := os.WriteFile(*table, []byte(before+begin+text+end+after), 0o644); err != nil { //nolint:gosec // a page of the docs
		t.Fatal(err)
	}
}
