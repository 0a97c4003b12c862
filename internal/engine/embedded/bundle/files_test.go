package bundle

import (
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
	want := []string{
		"data.json", "lib.ts", "main.ts",
		"node_modules/@s/q/index.js", "node_modules/@s/q/package.json",
		"node_modules/p/lib/sub.js", "node_modules/p/node_modules/r/main.js", "node_modules/p/node_modules/r/package.json",
		"node_modules/p/package.json",
	}
	if diff := cmp.Diff(want, Reach(memory(files), "main")); diff != "" {
		t.Errorf("Reach (-want +got):\n%s", diff)
	}
	if got := Reach(memory(files), "gone.ts"); got != nil {
		t.Errorf("Reach of an entrypoint that is gone = %q", got)
	}
}

// TestReachIsEnough holds that a build of the files that were reached is the
// same as a build of all.
func TestReachIsEnough(t *testing.T) {
	t.Parallel()
	files := tree{
		"main.ts":                      `import { v } from "p"; import w from "p/w"; console.log(v, w)`,
		"node_modules/p/package.json":  `{"main":"./lib","sideEffects":["x.js"]}`,
		"node_modules/p/lib/index.mjs": `import "../x.js"; import "../y.js"; export const v = 1`,
		"node_modules/p/x.js":          `console.log("x")`,
		"node_modules/p/y.js":          `console.log("y")`,
		"node_modules/p/w.cjs":         `module.exports = 2`,
		"other.ts":                     ``,
	}
	reached := tree{}
	for _, path := range Reach(memory(files), "main.ts") {
		reached[path] = files[path]
	}
	if len(reached) == len(files) {
		t.Fatal("Reach left nothing out")
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
