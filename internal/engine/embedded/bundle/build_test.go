package bundle

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/workflow"
	"github.com/usefloww/flowwd/sdk"
)

// tree is a set of files, written as a list of path and text.
type tree = map[string]string

func TestBuildRuns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, entrypoint string
		files            tree
		want             string
	}{
		{"entrypoint by its path", "src/main.ts", tree{"src/main.ts": `console.log("a")`}, "a"},
		{"entrypoint without its ending", "main", tree{"main.ts": `console.log("ts")`, "main.js": `console.log("js")`}, "ts"},
		{"entrypoint with ./", "./main.ts", tree{"main.ts": `console.log("a")`}, "a"},
		{"entrypoint is a folder", "src", tree{"src/index.js": `console.log("a")`}, "a"},
		{"entrypoint with dots", "main.handler.ts", tree{"main.handler.ts": `console.log("a")`, "main.ts": `console.log("b")`}, "a"},
		{"types are erased", "main.ts", tree{"main.ts": "interface A { b: string }\nconst a: A = { b: 'x' };\nenum E { One = 1 }\nconsole.log(a.b, E.One as number)"}, "x 1"},
		{"modern syntax", "main.ts", tree{"main.ts": `class A { #p = 1; static { console.log("static") } p() { return this.#p } }
			console.log(new A().p(), [3, 1].toSorted(), /(?<y>\d{4})/u.exec("2024")?.groups?.y)`}, "static\n1 [1,3] 2024"},
		{"text is UTF-8", "main.ts", tree{"main.ts": `console.log("grüße 𝒳")`}, "grüße 𝒳"},
		{"byte order mark", "main.ts", tree{"main.ts": "\ufeffconsole.log(1)"}, "1"},
		{"last line is a comment", "main.ts", tree{"main.ts": "console.log(1) // end"}, "1"},

		{"order of endings", "main.ts", tree{"main.ts": `import { v } from "./lib"; console.log(v)`,
			"lib.js": `export const v = "js"`, "lib.ts": `export const v = "ts"`, "lib.json": `{"v":"json"}`, "lib/index.ts": `export const v = "index"`}, "ts"},
		{"folder index", "main.ts", tree{"main.ts": `import { v } from "./lib"; console.log(v)`, "lib/index.js": `export const v = "index"`}, "index"},
		{"parent folder", "src/a/main.ts", tree{"src/a/main.ts": `import { v } from "../b"; console.log(v)`, "src/b.ts": `export const v = 1`}, "1"},
		{"this folder", "a/main.ts", tree{"a/main.ts": `import { v } from "."; console.log(v)`, "a/index.ts": `export const v = 1`}, "1"},
		{"name of the compiled file", "main.ts", tree{"main.ts": `import { v } from "./lib.js"; console.log(v)`, "lib.ts": `export const v = 1`}, "1"},
		{"cycle", "main.ts", tree{"main.ts": `import { b } from "./b"; export const a = () => "a"; console.log(b())`, "b.ts": `import { a } from "./main"; export const b = () => a() + "b"`}, "ab"},
		{"JSON", "main.ts", tree{"main.ts": `import data, { name } from "./data.json"; console.log(data.list, name)`, "data.json": `{"list":[1,2],"name":"n"}`}, "[1,2] n"},
		{"JSON with attribute", "main.ts", tree{"main.ts": `import data from "./data.conf" with { type: "json" }; console.log(data)`, "data.conf": `[1]`}, "[1]"},
		{"text", "main.ts", tree{"main.ts": `import a from "./a.txt"; import b from "./b.tmpl" with { type: "text" }; console.log(a, b)`, "a.txt": "A", "b.tmpl": "B"}, "A B"},
		{"import() is inlined", "main.ts", tree{"main.ts": `import("./lib").then((lib) => console.log(lib.v))`, "lib.ts": `export const v = 1`}, "1"},
		{"JSX by its factory", "main.tsx", tree{"main.tsx": `const React = { createElement: (n, p) => n + p.id }; console.log(<b id="1" />)`}, "b1"},
		{"CommonJS", "main.js", tree{"main.js": `const { v } = require("./lib"); exports.x = 1; console.log(v, typeof module.exports)`, "lib.js": `module.exports = { v: 1 }`}, "1 object"},
		{"CommonJS default", "main.ts", tree{"main.ts": `import lib, { v } from "./lib"; console.log(lib.v, v)`, "lib.js": `exports.v = 1`}, "1 1"},
		{"import = require", "main.ts", tree{"main.ts": `import lib = require("./lib"); console.log(lib.v)`, "lib.ts": `const v = 1; export = { v }`}, "1"},
		{"handled failure of require", "main.js", tree{"main.js": `let os = "none"; try { os = require("os") } catch {} console.log(os)`}, "none"},
		{"handled failure of import()", "main.ts", tree{"main.ts": `import("missing").catch(() => console.log("none"))`}, "none"},
		{"unused Node type import", "main.ts", tree{"main.ts": `import type { Server } from "node:http"; import { Buffer } from "buffer"; let s: Server, b: Buffer; console.log(1)`}, "1"},
		{"NODE_ENV and global", "main.ts", tree{"main.ts": `console.log(process.env.NODE_ENV, global === globalThis)`}, "production true"},
		{"tsconfig paths are ignored", "main.ts", tree{"main.ts": `import { v } from "./a"; console.log(v)`, "a.ts": `export const v = 1`, "b.ts": `export const v = 2`,
			"tsconfig.json": `{"compilerOptions":{"paths":{"./a":["./b"]}}}`}, "1"},
		{"prototype names are file names", "main.ts", tree{"main.ts": `import { v } from "./__proto__"; console.log(v)`, "__proto__.ts": `export const v = 1`}, "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := run(t, tc.files, tc.entrypoint).log(); got != tc.want {
				t.Errorf("logged %q, want %q", got, tc.want)
			}
		})
	}
}

func TestBuildProblems(t *testing.T) {
	t.Parallel()
	node := "which the embedded engine does not have"
	for _, tc := range []struct {
		name  string
		files tree
		// want are the beginnings of the problems, in order.
		want []string
	}{
		{"syntax", tree{"main.ts": "const a = 1;\nconst b = ;\n"}, []string{`main.ts:2:11: Unexpected ";"`}},
		{"column counts characters", tree{"main.ts": `const é = "𝒳", b = ;`}, []string{`main.ts:1:20: Unexpected ";"`}},
		{"end of file", tree{"main.ts": "if (true) {\n  x("}, []string{`main.ts:2:5: Unexpected end of file`}},
		{"in another file", tree{"main.ts": `import "./lib"`, "lib.ts": "\n  let 1"}, []string{`lib.ts:2:7: `}},
		{"several files", tree{"main.ts": "import './b'; import './a'", "a.ts": "import 'a1'", "b.ts": "import 'b1';\nimport 'b2'"},
			[]string{`a.ts:1:8: the package "a1" is not`, `b.ts:1:8: the package "b1" is not`, `b.ts:2:8: the package "b2" is not`}},
		{"no entrypoint", tree{"other.ts": "1"}, []string{`the entrypoint "main.ts" is not among the files`}},
		{"no such file", tree{"main.ts": `import "./lib"`}, []string{`main.ts:1:8: there is no file "lib", also not with .ts, .js, .json`}},
		{"no such file with ending", tree{"main.ts": `export * from "./lib.json"`}, []string{`main.ts:1:15: there is no file "lib.json"`}},
		{"outside the project", tree{"main.ts": `import "../../etc/passwd"`}, []string{`main.ts:1:8: "../../etc/passwd" is outside the project`}},
		{"absolute path", tree{"main.ts": `import "/etc/passwd"`}, []string{`main.ts:1:8: "/etc/passwd" is an absolute path`}},
		{"URL", tree{"main.ts": `import "https://esm.sh/zod"`}, []string{`main.ts:1:8: "https://esm.sh/zod" is imported by its URL`}},
		{"data URL", tree{"main.ts": `import "data:text/javascript,1"`}, []string{`main.ts:1:8: "data:text/javascript,1" is imported by its URL`}},
		{"scheme-less URL", tree{"main.ts": `import "//esm.sh/zod"`}, []string{`main.ts:1:8: "//esm.sh/zod" is imported by its URL`}},
		{"scoped package", tree{"main.ts": "import '@a/b/c'"}, []string{`main.ts:1:8: the package "@a/b" is not among the uploaded files; run "npm install @a/b"`}},
		{"node:", tree{"main.ts": "\nimport fs from 'node:fs/promises'; fs"}, []string{`main.ts:2:16: "node:fs/promises" is a part of Node, ` + node}},
		{"Node modules", tree{"main.ts": "import 'fs';import 'http';import 'path';import 'net';import 'fs/promises'"}, []string{
			`main.ts:1:8: "fs" is a part`, `main.ts:1:20: "http" is a part`, `main.ts:1:48: "net" is a part`, `main.ts:1:61: "fs/promises" is a part`}},
		{"require of Node", tree{"main.ts": "const fs = require('fs')"}, []string{`main.ts:1:20: "fs" is a part of Node, ` + node}},
		{"import() of Node", tree{"main.ts": "async () => { const fs = await import('fs') }"}, []string{`main.ts:1:39: "fs" is a part of Node, ` + node}},
		{"other runtimes", tree{"main.ts": "import 'bun:sqlite'"}, []string{`main.ts:1:8: "bun:sqlite" cannot be imported: modules named bun: are not available`}},
		{"class the SDK lacks", tree{"main.ts": "import { Builtin, Slack } from 'floww';\nnew Builtin();\nnew Slack();"}, []string{`main.ts:1:19: the module "floww" of this server has no "Slack"; it has: Builtin`}},
		{"default of the SDK", tree{"main.ts": "import floww from 'floww';\nfloww()"}, []string{`main.ts:1:8: the module "floww" of this server has no "default"`}},
		{"member the SDK lacks", tree{"main.ts": "import * as floww from 'floww';\nnew floww.Slack();"}, []string{`main.ts:2:11: the module "floww" of this server has no "Slack"`}},
		{"inside of the SDK", tree{"main.ts": "import 'floww/src/host'"}, []string{`main.ts:1:8: "floww/src/host" is a part of the module "floww"`}},
		{"missing export", tree{"main.ts": "import { a } from './lib'; a()", "lib.ts": "export const b = 1"}, []string{`main.ts:1:10: No matching export in "lib.ts" for import "a"`}},
		{"top-level await", tree{"main.ts": "const a = 1;\nawait a;"}, []string{`main.ts:2:1: await at the top level of a file is not supported; move it into the handler`}},
		{"top-level for await", tree{"main.ts": "for await (const a of []) {}"}, []string{`main.ts:1:5: await at the top level`}},
		{"computed import", tree{"main.ts": "const n = 'a'; import(`./pages/${n}.ts`)", "pages/a.ts": ""}, []string{`main.ts:1:23: the path of an import cannot be computed`}},
		{"computed require", tree{"main.ts": "require('../../../../../../etc/' + globalThis.n)"}, []string{`main.ts:1:9: the path of an import cannot be computed`}},
		{"unknown kind of file", tree{"main.ts": "import './logo.png'", "logo.png": "x"}, []string{`main.ts:1:8: logo.png is neither a script`}},
		{"unknown attribute", tree{"main.ts": "import a from './a.txt' with { type: 'bytes' }; a", "a.txt": "x"}, []string{`main.ts:1:15: the import attribute type "bytes"`}},
		{"bad JSON", tree{"main.ts": "import a from './a.json'; a", "a.json": "{\n\"a\":,}"}, []string{`a.json:2:5: `}},
		{"bad path", tree{"main.ts": "", "../x.ts": ""}, []string{`code.files: the path "../x.ts" leaves the project`}},
		{"entrypoint is no script", tree{"main.ts/x": ""}, []string{`the entrypoint "main.ts" is not among`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := strings.Split(problems(t, tc.files, "main.ts"), "\n")
			if len(got) != len(tc.want) {
				t.Fatalf("problems:\n%s\nwant %d", strings.Join(got, "\n"), len(tc.want))
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("problem %d is %q, want it to begin with %q", i, got[i], want)
				}
			}
		})
	}
}

func TestBuildBoundsProblems(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for i := range 200 {
		fmt.Fprintf(&code, "import 'missing-%d';\n", i)
	}
	got := strings.Split(problems(t, tree{"main.ts": code.String()}, "main.ts"), "\n")
	if want := "150 more problems are not shown"; len(got) != maxProblems+1 || got[maxProblems] != want {
		t.Errorf("got %d problems, the last is %q; want %d and %q", len(got), got[len(got)-1], maxProblems+1, want)
	}
}

func TestBuildResult(t *testing.T) {
	t.Parallel()
	files := tree{"src/main.ts": "import { used } from './lib';\nimport 'floww';\nconsole.log(used, 'grüße');\nimport('gone').catch(console.log)", "src/lib.ts": "export const used = 1;\nexport const unused = 'left out'"}
	source := workflow.Source{Files: files, Entrypoint: "src/main.ts"}
	result, err := Build(source)
	if err != nil {
		t.Fatal(err)
	}
	if result.SDKVersion != sdk.Version {
		t.Errorf("SDKVersion = %q, want %q", result.SDKVersion, sdk.Version)
	}
	if !strings.Contains(string(result.Code), "grüße") {
		t.Errorf("the script has not its text as it was:\n%s", result.Code)
	}
	for _, unwanted := range []string{"left out", "sourceMappingURL", "class", "import("} {
		if strings.Contains(string(result.Code), unwanted) {
			t.Errorf("the script has %q:\n%s", unwanted, result.Code)
		}
	}
	var parts struct {
		Sources, SourcesContent []string
	}
	if err := json.Unmarshal(result.SourceMap, &parts); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i, name := range parts.Sources {
		got[name] = parts.SourcesContent[i]
	}
	if diff := cmp.Diff(files, got); diff != "" {
		t.Errorf("the source map's files (-want +got):\n%s", diff)
	}
	again, err := Build(source)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(result, again); diff != "" {
		t.Errorf("two builds of one source differ:\n%s", diff)
	}
}

// TestBuildReadsNoSourceMaps holds that a source map in a source cannot name a
// file of the machine.
func TestBuildReadsNoSourceMaps(t *testing.T) {
	t.Parallel()
	secret := t.TempDir() + "/secret.ts"
	if err := os.WriteFile(secret, []byte("const secret = 'of the machine'"), 0o600); err != nil {
		t.Fatal(err)
	}
	sourceMap, err := json.Marshal(map[string]any{"version": 3, "mappings": "AAAA", "names": []string{}, "sources": []string{"file://" + secret}})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"file://" + secret, "data:application/json," + string(sourceMap)} {
		result, err := Build(workflow.Source{
			Files:      tree{"main.ts": "console.log(1)\n//# sourceMappingURL=" + url},
			Entrypoint: "main.ts",
		})
		if err != nil {
			t.Fatal(err)
		}
		if all := string(result.SourceMap) + string(result.Code); strings.Contains(all, "of the machine") {
			t.Errorf("with %s the result has the file's content", url)
		}
		if !strings.Contains(string(result.SourceMap), `"main.ts"`) {
			t.Errorf("with %s the source map does not name main.ts: %s", url, result.SourceMap)
		}
	}
}

func FuzzBuild(f *testing.F) {
	f.Add("console.log(1)", "export const a = 1", `{"main":"x"}`)
	f.Add("import { a } from './lib'; import 'p'; await a", "module.exports = require('p/q')", `{"exports":{".":{"import":"./index.js"}}}`)
	f.Add("import(`./${a}`)", "//# sourceMappingURL=file:///x", `{"exports":[{"a":null},"./*"],"sideEffects":["**/*.js"]}`)
	f.Add("class A { @x y }", "export * from '#a'", `{"imports":{"#a":"p"},"sideEffects":false}`)
	f.Fuzz(func(t *testing.T, main, lib, manifest string) {
		result, err := Build(workflow.Source{Entrypoint: "main.ts", Files: tree{
			"main.ts": main, "lib.js": lib,
			"node_modules/p/package.json": manifest, "node_modules/p/index.js": lib,
		}})
		if (err == nil) != (len(result.Code) > 0) {
			t.Errorf("Build = %d bytes, %v", len(result.Code), err)
		}
		MapStack(result.SourceMap, "    at x (bundle.js:3:3)\n")
	})
}

func BenchmarkBuild(b *testing.B) {
	hello, err := os.ReadFile("../../../../examples/hello/main.ts")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Build(workflow.Source{Files: tree{"main.ts": string(hello)}, Entrypoint: "main.ts"}); err != nil {
			b.Fatal(err)
		}
	}
}
