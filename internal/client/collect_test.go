package client

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine/embedded/bundle"
	"github.com/usefloww/flowwd/internal/workflow"
)

// link makes a symbolic link in a project.
func link(t *testing.T, dir, name, target string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
}

func collected(t *testing.T, dir string) []string {
	t.Helper()
	files, err := CollectFiles(dir, "main.ts")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(files))
}

func TestCollectFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"floww.yaml":              "name: x",
		"main.ts":                 `import "./lib/a"; import sql from "./query.sql"; import { v } from "p"; import { Builtin } from "floww"; import type { T } from "typed"; console.log(v, sql)`,
		"lib/a.ts":                `import "./b.mjs"`,
		"lib/b.mjs":               ``,
		"lib/unused.js":           ``,
		"query.sql":               `select 1`,
		"tsconfig.json":           `{}`,
		"package.json":            `{}`,
		"package-lock.json":       `{}`,
		"ci/config.yml":           `a: 1`,
		".hidden/settings.json":   `{}`,
		"README.md":               `not sent`,
		".env":                    `not sent`,
		"image.png":               "not sent\xff",
		"lib/unused.mjs":          `not sent`,
		"dist/main.js":            `not sent`,
		"lib/dist/main.js":        `not sent`,
		".git/config.json":        `not sent`,
		".floww/cache.json":       `not sent`,
		"pulumi-state/a.json":     `not sent`,
		"lib/node_modules/a/a.js": `not sent`,

		"node_modules/p/package.json":     `{"main":"p.js"}`,
		"node_modules/p/p.js":             `export { v } from "q"`,
		"node_modules/p/unused.js":        `not sent`,
		"node_modules/p/README.md":        `not sent`,
		"node_modules/q/package.json":     `{}`,
		"node_modules/q/index.js":         `export const v = 1`,
		"node_modules/unused/index.js":    `not sent`,
		"node_modules/typed/index.d.ts":   `not sent`,
		"node_modules/floww/package.json": `{"name":"not sent: the server has its own"}`,
		"node_modules/floww/index.js":     `not sent`,
	}
	got, err := CollectFiles(project(t, files), "main.ts")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for name, text := range files {
		if !strings.Contains(text, "not sent") {
			want[name] = text
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := bundle.Build(workflow.Source{Files: got, Entrypoint: "main.ts"}); err != nil {
		t.Errorf("the files that are sent do not build: %v", err)
	}
}

// TestCollectLinkedPackages has the layout of installers that keep packages in
// a store: each package sees its own version of what it needs.
func TestCollectLinkedPackages(t *testing.T) {
	t.Parallel()
	const store = "node_modules/.pnpm/"
	dir := project(t, map[string]string{
		"main.ts":                              `import { a } from "a"; import { b } from "@s/b"; import { w } from "w"; console.log(a, b, w)`,
		store + "a@1/node_modules/a/index.js":  `import { b } from "@s/b"; export const a = "a uses " + b`,
		store + "b@1/node_modules/@s/b/a.js":   `import "a"; export const b = "b1"`,
		store + "b@2/node_modules/@s/b/a.js":   `export const b = "b2"`,
		store + "a@1/node_modules/a/unused.js": ``,
		"workspace/w/src/w.ts":                 `export const w: string = "w"`,

		store + "a@1/node_modules/a/package.json":    `{}`,
		store + "b@1/node_modules/@s/b/package.json": `{"main":"a.js"}`,
		store + "b@2/node_modules/@s/b/package.json": `{"main":"a.js"}`,
		"workspace/w/package.json":                   `{"main":"src/w.ts"}`,
	})
	link(t, dir, "node_modules/a", ".pnpm/a@1/node_modules/a")
	link(t, dir, "node_modules/@s/b", "../.pnpm/b@2/node_modules/@s/b")
	link(t, dir, "node_modules/w", "../workspace/w")
	link(t, dir, store+"a@1/node_modules/@s/b", "../../../b@1/node_modules/@s/b")
	link(t, dir, store+"b@1/node_modules/a", "../../a@1/node_modules/a")

	files, err := CollectFiles(dir, "main.ts")
	if err != nil {
		t.Fatal(err)
	}
	if _, has := files[store+"a@1/node_modules/a/unused.js"]; has {
		t.Error("a file of a package that nothing imports is sent")
	}
	result, err := bundle.Build(workflow.Source{Files: files, Entrypoint: "main.ts"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"b1"`, `"b2"`, `"w"`, `"a uses "`} {
		if n := strings.Count(string(result.Code), want); n != 1 {
			t.Errorf("%s is %d times in the script, want once:\n%s", want, n, result.Code)
		}
	}
}

func TestCollectLinks(t *testing.T) {
	t.Parallel()
	outside := project(t, map[string]string{"secret.ts": "export const secret = 1", "package.json": "{}", "index.js": ""})
	base := map[string]string{"main.ts": `import "p"; import "./shared/secret"`, "real.ts": ""}
	t.Run("inside", func(t *testing.T) {
		t.Parallel()
		dir := project(t, base)
		link(t, dir, "linked.ts", "real.ts")
		link(t, dir, "folder", ".")
		link(t, dir, "node_modules/p", "/nowhere")
		if diff := cmp.Diff([]string{"linked.ts", "main.ts", "real.ts"}, collected(t, dir)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	for _, tc := range []struct{ name, link, target, want string }{
		{"file", "a.ts", outside + "/secret.ts", "a.ts is a symbolic link that leads out of the project"},
		{"relative", "a/b.ts", "../../../../../../../../../../etc/hosts", "a/b.ts is a symbolic link that leads out of the project"},
		{"folder", "shared", outside, "shared is a symbolic link that leads out of the project"},
		{"nowhere", "a.json", "gone.json", "a.json is a symbolic link that leads out of the project or nowhere"},
		{"package", "node_modules/p", outside, "packages are symbolic links that lead out of the project: node_modules/p;"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, base)
			link(t, dir, tc.link, tc.target)
			_, err := CollectFiles(dir, "main.ts")
			wantError(t, err, tc.want)
		})
	}
}

func TestCollectBounds(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	t.Run("size", func(t *testing.T) {
		t.Parallel()
		dir := project(t, map[string]string{"main.ts": "", "data/big.json": strings.Repeat("x", 20*mb), "data/large.json": strings.Repeat("x", 12*mb), "small.json": "{}"})
		_, err := CollectFiles(dir, "main.ts")
		wantError(t, err, "32.0 MB to send, the server takes 32 MB; the largest files are:\n  data/big.json: 20.0 MB\n  data/large.json: 12.0 MB\n  small.json: 0.0 MB")
	})
	t.Run("size with packages", func(t *testing.T) {
		t.Parallel()
		dir := project(t, map[string]string{"main.ts": `import data from "p/big.json"; console.log(data.length)`, "data.json": strings.Repeat(" ", 20*mb) + "1",
			"node_modules/p/package.json": "{}", "node_modules/p/big.json": strings.Repeat(" ", 15*mb) + "1"})
		_, err := CollectFiles(dir, "main.ts")
		wantError(t, err, "35.0 MB to send", "node_modules/p/big.json: 15.0 MB")
	})
	t.Run("number", func(t *testing.T) {
		t.Parallel()
		sizes := map[string]int64{"main.ts": 1}
		for i := range workflow.MaxSourceFiles {
			sizes["cache/"+strings.Repeat("x", i%100)+string(rune('a'+i%26))+strings.Repeat("y", i/100)+".json"] = 1
		}
		wantError(t, checkSizes(sizes), "files to send, the server takes 20000; most are in cache")
	})
	t.Run("large lock files", func(t *testing.T) {
		t.Parallel()
		large := strings.Repeat("x", maxLockFile+1)
		dir := project(t, map[string]string{"main.ts": "", "package-lock.json": large, "sub/pnpm-lock.yaml": large, "data.json": large})
		if diff := cmp.Diff([]string{"data.json", "main.ts"}, collected(t, dir)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("no text", func(t *testing.T) {
		t.Parallel()
		_, err := CollectFiles(project(t, map[string]string{"main.ts": "", "a.json": "\xff"}), "main.ts")
		wantError(t, err, "a.json is not text in UTF-8")
	})
	t.Run("no folder", func(t *testing.T) {
		t.Parallel()
		_, err := CollectFiles(filepath.Join(t.TempDir(), "gone"), "main.ts")
		wantError(t, err, "open the project", "gone")
	})
}
