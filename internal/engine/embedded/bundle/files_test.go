package bundle

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/workflow"
)

func TestReach(t *testing.T) {
	t.Parallel()
	files := tree{
		"main.ts":                               `import { Builtin } from "floww"; import "./lib"; import { v } from "p/sub"; require("./data.json"); console.log(v)`,
		"lib.ts":                                `import type { T } from "./types"; import "@s/q"`,
		"types.ts":                              `export type T = string`,
		"data.json":                             `{}`,
		"unused.ts":                             ``,
		"package.json":                          `{}`,
		"node_modules/p/package.json":           `{"exports":{"./sub":"./lib/sub.js",".":"./index.js"},"sideEffects":false}`,
		"node_modules/p/index.js":               ``,
		"node_modules/p/lib/sub.js":             `export { v } from "r"`,
		"node_modules/p/node_modules/r/main.js": `export const v = 1`,
		"node_modules/p/node_modules/r/package.json": `{"main":"main"}`,
		"node_modules/r/package.json":                `{}`,
		"node_modules/@s/q/package.json":             `{}`,
		"node_modules/@s/q/index.js":                 `import "missing"; try { require("fs") } catch {}`,
	}
	want := maps.Clone(files)
	for _, unreached := range []string{"types.ts", "unused.ts", "package.json", "node_modules/p/index.js", "node_modules/r/package.json"} {
		delete(want, unreached)
	}
	if diff := cmp.Diff(want, Reach(newMemory(files), "main")); diff != "" {
		t.Errorf("Reach (-want +got):\n%s", diff)
	}
	if got := Reach(newMemory(files), "gone.ts"); got != nil {
		t.Errorf("Reach of an entrypoint that is gone = %q", got)
	}
}

// TestReachIsEnough holds that a build of the files that were reached is the
// same as a build of all.
func TestReachIsEnough(t *testing.T) {
	t.Parallel()
	files := tree{
		"main.ts":                      `import { v } from "p"; import w from "p/w"; import l from "l"; console.log(v, w, l)`,
		"node_modules/p/package.json":  `{"main":"./lib","sideEffects":["x.js"]}`,
		"node_modules/p/lib/index.mjs": `import "../x.js"; import "../y.js"; export const v = 1`,
		"node_modules/p/x.js":          `console.log("x")`,
		"node_modules/p/y.js":          `console.log("y")`,
		"node_modules/p/w.cjs":         `module.exports = 2`,
		"other.ts":                     ``,
		"node_modules/store/l/l.js":    `export { m as default } from "m"`,
		"node_modules/store/m.js":      ``,
		"node_modules/store/m/m.js":    `export const m = 3`,
		LinksFile:                      `{"node_modules/l":"node_modules/store/l","node_modules/m":"node_modules/store/m","node_modules/o":"/etc"}`,

		"node_modules/store/l/package.json": `{"main":"l.js"}`,
		"node_modules/store/m/package.json": `{"main":"m.js"}`,
	}
	reached := Reach(newMemory(files), "main.ts")
	if len(reached) != len(files)-2 {
		t.Fatalf("Reach took %d of %d files", len(reached), len(files))
	}
	all, err := Build(workflow.Source{Files: files, Entrypoint: "main.ts"})
	if err != nil {
		t.Fatal(err)
	}
	part, err := Build(workflow.Source{Files: reached, Entrypoint: "main.ts"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, part); diff != "" {
		t.Errorf("built of the files reached (-all +part):\n%s", diff)
	}
}
