package bundle

import (
	"maps"
	"strings"
	"testing"
)

// printing returns a main file that logs what it imports as v.
func printing(statement string) string { return statement + "; console.log(v)" }

func TestPackages(t *testing.T) {
	t.Parallel()
	const v1, v2 = "export const v = 1", "export const v = 2"
	for _, tc := range []struct {
		name  string
		files tree
		want  string
	}{
		{"main", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":"lib/p"}`, "node_modules/p/lib/p.js": "exports.v = 1"}, "1"},
		{"main is a folder", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":"./lib"}`, "node_modules/p/lib/index.js": "exports.v = 1"}, "1"},
		{"no main", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{}`, "node_modules/p/index.js": "exports.v = 1"}, "1"},
		{"no manifest", tree{"main.ts": printing(`import { v } from "p"`), "node_modules/p/index.js": "exports.v = 1"}, "1"},
		{"module before main for import", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":"cjs.js","module":"esm.js"}`, "node_modules/p/esm.js": v1, "node_modules/p/cjs.js": "exports.v = 2"}, "1"},
		{"main before module for require", tree{"main.js": printing(`const { v } = require("p")`),
			"node_modules/p/package.json": `{"main":"cjs.js","module":"esm.js"}`, "node_modules/p/esm.js": v1, "node_modules/p/cjs.js": "exports.v = 2"}, "2"},
		{"browser before main", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":"a.js","browser":"b.js"}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": v2}, "2"},
		{"browser replaces the main file", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":"a","browser":{"./a.js":"./b.js"}}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": v2}, "2"},
		{"browser replaces a file", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"exports":"./a.js","browser":{"./lib/x":"./lib/y.js"}}`,
			"node_modules/p/a.js":         `export { v } from "./lib/x.js"`,
			"node_modules/p/lib/x.js":     v1, "node_modules/p/lib/y.js": v2}, "2"},
		{"browser leaves a file out", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"browser":{"./x.js":false,"fs":false}}`,
			"node_modules/p/index.js":     `const x = require("./x"), fs = require("fs"); exports.v = Object.keys(x).length + Object.keys(fs).length`,
			"node_modules/p/x.js":         v1}, "0"},
		{"browser replaces a package", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"browser":{"crypto":"./c.js","q":"r/s"}}`,
			"node_modules/p/index.js":     `import { c } from "crypto"; import { r } from "q"; export const v = c + r`, "node_modules/p/c.js": "export const c = 1",
			"node_modules/r/package.json": `{}`, "node_modules/r/s.js": "export const r = 2"}, "3"},
		{"condition browser", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"exports":{"node":"./a.js","browser":"./b.js"}}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": v2}, "2"},
		{"fields of the wrong type", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":{},"module":1,"exports":false,"sideEffects":"x"}`, "node_modules/p/index.js": v1}, "1"},
		{"file in a package", tree{"main.ts": printing(`import { v } from "p/lib/a"`),
			"node_modules/p/package.json": `{"main":"x.js"}`, "node_modules/p/lib/a.js": v1}, "1"},
		{"folder in a package with a manifest", tree{"main.ts": printing(`import { v } from "p/sub"`), "node_modules/p/package.json": `{}`,
			"node_modules/p/sub/package.json": `{"main":"a.js"}`, "node_modules/p/sub/a.js": v1}, "1"},
		{"trailing slash", tree{"main.ts": printing(`import { v } from "punycode/"`),
			"node_modules/punycode/package.json": `{"main":"a.js"}`, "node_modules/punycode/a.js": v1}, "1"},
		{"scoped", tree{"main.ts": printing(`import { v } from "@s/p/a"`),
			"node_modules/@s/p/package.json": `{}`, "node_modules/@s/p/a.js": v1}, "1"},
		{"Node's module before a package", tree{"main.ts": printing(`import { v } from "events"`),
			"node_modules/events/package.json": `{"main":"events.js"}`, "node_modules/events/events.js": v1}, "node:events"},
		{"package with a Node name", tree{"main.ts": printing(`import { v } from "events/"`),
			"node_modules/events/package.json": `{"main":"events.js"}`, "node_modules/events/events.js": v1}, "1"},
		{"package with the name of a Node module that is not there", tree{"main.ts": printing(`import { v } from "stream"`),
			"node_modules/stream/package.json": `{"main":"a.js"}`, "node_modules/stream/a.js": v1}, "1"},
		{"Node's module below a name", tree{"main.ts": printing(`const { v } = require("node:path/posix")`)}, "node:path/posix"},
		{"TypeScript package", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":"src/a.ts"}`, "node_modules/p/src/a.ts": "export const v: number = 1"}, "1"},
		{"floww is always the server's", tree{"main.ts": `import { Builtin } from "floww"; console.log(typeof new Builtin().triggers.onWebhook)`,
			"node_modules/floww/package.json": `{"main":"a.js"}`, "node_modules/floww/a.js": "export class Builtin {}"}, "function"},

		{"zod is built in", tree{"main.ts": printing(`import { z } from "zod"; const v = z.object({ a: z.string() }).safeParse({ a: 1 }).error!.issues[0].message`)},
			"Invalid input: expected string, received number"},
		{"a project's own zod", tree{"main.ts": printing(`import { v } from "zod"`), "node_modules/zod/package.json": `{}`, "node_modules/zod/index.js": v1}, "1"},

		{"nearest node_modules", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{}`, "node_modules/p/index.js": `export { v } from "q"`,
			"node_modules/p/node_modules/q/package.json": `{}`, "node_modules/p/node_modules/q/index.js": v1,
			"node_modules/q/package.json": `{}`, "node_modules/q/index.js": v2}, "1"},
		{"node_modules further up", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{}`, "node_modules/p/index.js": `export { v } from "q"`,
			"node_modules/q/package.json": `{}`, "node_modules/q/index.js": v2}, "2"},
		{"package that imports itself", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"exports":{".":"./a.js","./b":"./b.js"}}`, "node_modules/p/a.js": `export { v } from "p/b"`, "node_modules/p/b.js": v1}, "1"},

		{"link to a store", tree{"main.ts": printing(`import { v } from "p"`),
			LinksFile: `{"node_modules/p":"node_modules/.s/p@1/node_modules/p","node_modules/.s/p@1/node_modules/q":"node_modules/.s/q@2/node_modules/q"}`,
			"node_modules/.s/p@1/node_modules/p/package.json": `{}`, "node_modules/.s/p@1/node_modules/p/index.js": `export { v } from "q"`,
			"node_modules/.s/q@2/node_modules/q/package.json": `{}`, "node_modules/.s/q@2/node_modules/q/index.js": v2}, "2"},
		{"link to a folder of the project", tree{"main.ts": printing(`import { v } from "p"`),
			LinksFile: `{"node_modules/p":"packages/p"}`, "packages/p/package.json": `{"main":"src/p.ts"}`, "packages/p/src/p.ts": v1}, "1"},
		{"links that are none", tree{"main.ts": printing(`import { v } from "p"`), LinksFile: `[1]`, "node_modules/p/index.js": v1}, "1"},

		{"exports is a text", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"exports":"./a.js","main":"b.js"}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": v2}, "1"},
		{"exports by condition", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"exports":{"types":"./a.d.ts","require":"./b.js","import":{"node":"./b.js","default":"./a.js"}}}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": v2}, "1"},
		{"exports for require", tree{"main.js": printing(`const { v } = require("p")`),
			"node_modules/p/package.json": `{"exports":{"import":"./a.js","require":"./b.js"}}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": "exports.v = 2"}, "2"},
		{"the first condition that holds", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"exports":{"default":"./b.js","import":"./a.js"}}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": v2}, "2"},
		{"exports of a subpath", tree{"main.ts": printing(`import { v } from "p/sub"`),
			"node_modules/p/package.json": `{"exports":{".":"./b.js","./sub":[{"node":"./b.js"},"./a.js"]}}`, "node_modules/p/a.js": v1, "node_modules/p/b.js": v2}, "1"},
		{"exports by pattern", tree{"main.ts": printing(`import { v } from "p/x/deep/a.js"`),
			"node_modules/p/package.json": `{"exports":{"./*":"./no/*","./x/*.js":"./lib/*.mjs"}}`, "node_modules/p/lib/deep/a.mjs": v1}, "1"},
		{"exports by the longest pattern", tree{"main.ts": printing(`import { v } from "p/x/a.js"`),
			"node_modules/p/package.json": `{"exports":{"./x/*.js":"./lib/*.mjs","./*":"./no/*"}}`, "node_modules/p/lib/a.mjs": v1}, "1"},
		{"exports by folder", tree{"main.ts": printing(`import { v } from "p/x/a.js"`),
			"node_modules/p/package.json": `{"exports":{"./x/":"./lib/"}}`, "node_modules/p/lib/a.js": v1}, "1"},
		{"imports", tree{"main.ts": printing(`import { v } from "p"`),
			"node_modules/p/package.json": `{"main":"lib/a.js","imports":{"#os":{"node":"os","default":"./os.js"},"#q/*":"q/*"}}`,
			"node_modules/p/lib/a.js":     `import { o } from "#os"; import { q } from "#q/b"; export const v = o + q`, "node_modules/p/os.js": "export const o = 1",
			"node_modules/q/package.json": `{}`, "node_modules/q/b.js": "export const q = 2"}, "3"},
		{"imports of the project", tree{"src/main.ts": printing(`import { v } from "#lib"`), "package.json": `{"imports":{"#lib":"./lib/a.ts"}}`, "lib/a.ts": v1}, "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := run(t, tc.files, entryOf(tc.files)).log(); got != tc.want {
				t.Errorf("logged %q, want %q", got, tc.want)
			}
		})
	}
}

func entryOf(files tree) string {
	for _, name := range []string{"main.ts", "main.js", "src/main.ts"} {
		if _, ok := files[name]; ok {
			return name
		}
	}
	return ""
}

func TestPackageProblems(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, imports string
		files         tree
		want          string
	}{
		{"no file", "p", tree{"node_modules/p/package.json": `{"main":"gone.js"}`}, `main.ts:1:8: the package "p" has no file for "p"`},
		{"no such file", "p/x", tree{"node_modules/p/package.json": `{}`}, `main.ts:1:8: the package "p" has no file for "p/x"`},
		{"not exported", "p/x", tree{"node_modules/p/package.json": `{"exports":"./a.js"}`, "node_modules/p/x.js": ""}, `main.ts:1:8: the package "p" does not export "./x"`},
		{"exported as null", "p/x", tree{"node_modules/p/package.json": `{"exports":{"./*":"./*.js","./x":null}}`, "node_modules/p/x.js": ""}, `main.ts:1:8: the package "p" does not export "./x"`},
		{"null for import", "p", tree{"node_modules/p/package.json": `{"exports":{"import":null,"default":"./x.js"}}`, "node_modules/p/x.js": ""}, `main.ts:1:8: the package "p" does not export "."`},
		{"for Node alone", "p", tree{"node_modules/p/package.json": `{"exports":{"node":"./a.js"}}`, "node_modules/p/a.js": ""}, `main.ts:1:8: the package "p" does not export "." for import outside Node`},
		{"exports a file that is gone", "p", tree{"node_modules/p/package.json": `{"exports":"./a.js"}`}, `main.ts:1:8: the package "p" exports "." as "./a.js", which is not among the files`},
		{"exports leave the package", "p", tree{"node_modules/p/package.json": `{"exports":"./../../main.ts"}`}, `main.ts:1:8: the package "p" exports "." as "./../../main.ts", which is not`},
		{"main leaves the package", "p", tree{"node_modules/p/package.json": `{"main":"../../main.ts"}`}, `main.ts:1:8: the package "p" has no file for "p"`},
		{"exports without ./", "p", tree{"node_modules/p/package.json": `{"exports":"a.js"}`, "node_modules/p/a.js": ""}, `main.ts:1:8: the package "p" does not export "."`},
		{"not in imports", "#x", tree{"package.json": `{}`}, `main.ts:1:8: package.json does not list "#x" in its imports`},
		{"no imports", "#x", tree{}, `main.ts:1:8: no package.json around this file lists "#x" in its imports`},
		{"Node inside a package", "p", tree{"node_modules/p/package.json": `{}`, "node_modules/p/index.js": "\nrequire('fs')"}, `node_modules/p/index.js:2:9: "fs" is a part of Node`},
		{"exports nested without end", "p", tree{"node_modules/p/package.json": `{"exports":` + strings.Repeat(`{"default":`, 2000) + `"./a.js"` + strings.Repeat("}", 2001)}, `main.ts:1:8: the package "p" `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(tc.files)
			files["main.ts"] = `import "` + tc.imports + `"`
			if got := problems(t, files, "main.ts"); !strings.HasPrefix(got, tc.want) {
				t.Errorf("got %q, want it to begin with %q", got, tc.want)
			}
		})
	}
}

func TestUnusedFilesOfPackages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, sideEffects, want string }{
		{"all have effects", `true`, "lib/a.js\nlib/b.css.js\nused"},
		{"none", `false`, "used"},
		{"none listed", `[]`, "used"},
		{"by name", `["*.css.js"]`, "lib/b.css.js\nused"},
		{"by path", `["./lib/a.js"]`, "lib/a.js\nused"},
		{"by folder", `["lib/**"]`, "lib/a.js\nlib/b.css.js\nused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, tree{
				"main.ts":                      printing(`import { v } from "p"`),
				"node_modules/p/package.json":  `{"sideEffects":` + tc.sideEffects + `}`,
				"node_modules/p/index.js":      `import "./lib/a.js"; import "./lib/b.css.js"; export const v = "used"`,
				"node_modules/p/lib/a.js":      `console.log("lib/a.js")`,
				"node_modules/p/lib/b.css.js":  `console.log("lib/b.css.js")`,
				"node_modules/p/lib/README.md": "",
			}, "main.ts").log()
			if got != tc.want {
				t.Errorf("logged %q, want %q", got, tc.want)
			}
		})
	}
}
