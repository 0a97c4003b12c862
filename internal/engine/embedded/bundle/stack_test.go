package bundle

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"modernc.org/quickjs"

	"github.com/usefloww/flowwd/internal/workflow"
)

const throwing = `import { Builtin } from "floww";
import { check } from "./lib/check";

const builtin = new Builtin();
class Order {
  constructor(readonly id: number) {
    check(this.id);
  }
  get total(): number { return check(0) }
}
const calls: Record<string, () => unknown> = {
  "constructor": () => new Order(1),
  "getter": () => Object.create(Order.prototype).total,
  "through native code": () => [1].map(() => check(1)),
  "through the SDK": () => builtin.triggers.onWebhook({ handler: "none" } as any),
  "through eval": () => new Function("check", "check()")(check),
  "through the realm": () => (globalThis as any).realmCalls(() => check(1)),
};
(globalThis as any).stackOf = async (name: string) => {
  try { calls[name]() } catch (err) { return (err as Error).stack }
};
(globalThis as any).later = async () => {
  await null;
  try { check(1) } catch (err) { return (err as Error).stack }
};
`

const check = `// A comment with ümlauts 𝒳.

export function check(n: number): never {
  const text: string = "𝒳 é"; throw new Error(text + n);
}
`

// realm is a script of a realm that calls the author's code.
const realm = `globalThis.realmCalls = (f) => f();`

func TestMapStack(t *testing.T) {
	t.Parallel()
	result, err := Build(workflow.Source{Files: tree{"src/main.ts": throwing, "src/lib/check.ts": check}, Entrypoint: "src/main.ts"})
	if err != nil {
		t.Fatal(err)
	}
	const thrower = "    at check (src/lib/check.ts:4:"
	for _, tc := range []struct {
		call string
		// want are the beginnings of the frames.
		want []string
	}{
		{`stackOf("constructor")`, []string{thrower, "    at Order (src/main.ts:7:5)", "    at constructor (src/main.ts:12:28)", "    at <anonymous> (src/main.ts:20:"}},
		{`stackOf("getter")`, []string{thrower, "    at get total (src/main.ts:9:25)", "    at getter (src/main.ts:13:48)", "    at <anonymous> (src/main.ts:20:"}},
		{`stackOf("through native code")`, []string{thrower, "    at <anonymous> (src/main.ts:14:46)", "    at through native code (src/main.ts:14:36)", "    at <anonymous> (src/main.ts:20:"}},
		{`stackOf("through the SDK")`, []string{"    at through the SDK (src/main.ts:15:45)", "    at <anonymous> (src/main.ts:20:"}},
		{`stackOf("through eval")`, []string{thrower, "    at through eval (src/main.ts:16:56)", "    at <anonymous> (src/main.ts:20:"}},
		{`stackOf("through the realm")`, []string{thrower, "    at <anonymous> (src/main.ts:17:67)", "    at through the realm (src/main.ts:17:50)", "    at <anonymous> (src/main.ts:20:"}},
		{`later()`, []string{thrower, "    at <anonymous> (src/main.ts:24:9)"}},
	} {
		t.Run(tc.call, func(t *testing.T) {
			t.Parallel()
			vm, err := quickjs.NewVM()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { vm.Close() })
			s := &script{t, vm}
			s.eval(prelude + realm)
			s.eval(string(result.Code))
			s.eval(`globalThis.stack = "none"; ` + tc.call + `.then((text) => { stack = text }); undefined`)
			if _, err := vm.ExecutePendingJobs(); err != nil {
				t.Fatal(err)
			}
			raw, _ := s.eval(`stack`).(string)
			got := MapStack(result.SourceMap, raw)
			frames := strings.Split(got, "\n")
			if len(frames) != len(tc.want) {
				t.Fatalf("stack:\n%s\nof\n%s\nhas %d frames, want %d", got, raw, len(frames), len(tc.want))
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(frames[i], want) {
					t.Errorf("frame %d is %q, want it to begin with %q", i, frames[i], want)
				}
			}
		})
	}
}

// TestMapStackNames tries the names that a realm may give the script.
func TestMapStackNames(t *testing.T) {
	t.Parallel()
	result, err := Build(workflow.Source{Files: tree{"main.js": "exports.a = 1;\nfoo();\n"}, Entrypoint: "main.js"})
	if err != nil {
		t.Fatal(err)
	}
	line, column := place(t, string(result.Code), "foo()")
	for _, tc := range []struct{ name, stack, want string }{
		{"named", "    at f (bundle.js:" + line + ":" + column + ")", "    at f (main.js:2:1)"},
		{"named with a folder", "    at f (/program/bundle.js:" + line + ":" + column + ")", "    at f (main.js:2:1)"},
		{"not named", "    at f (<eval>:" + line + ":" + column + ")", "    at f (main.js:2:1)"},
		{"no function", "    at bundle.js:" + line + ":" + column, "    at main.js:2:1"},
		{"no column", "    at f (bundle.js:" + line + ")", "    at f (main.js:2:1)"},
		{"file as a function", "    at user:main.js (bundle.js:" + line + ":" + column + ")", "    at main.js:2:1"},
		{"function name with a bracket", "    at a (b (bundle.js:" + line + ":" + column + ")", "    at a (b (main.js:2:1)"},
		{"realm's own", "    at log (<eval>:1:100)\n    at x (realm.js:2:1)\n    at map (native)\n    at y (<input>:1:2)", ""},
		{"far beyond", "    at f (bundle.js:999999999999999999999:1)\n    at f (bundle.js:5000:1)", ""},
		{"text stays", "Error: it's broken\n    at f (bundle.js:" + line + ":" + column + ")\nand so on", "Error: it's broken\n    at f (main.js:2:1)\nand so on"},
		{"empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, MapStack(result.SourceMap, tc.stack)); diff != "" {
				t.Errorf("MapStack (-want +got):\n%s", diff)
			}
		})
	}
}

// place returns the line and column of a text, from 1.
func place(t *testing.T, code, text string) (line, column string) {
	t.Helper()
	before, _, ok := strings.Cut(code, text)
	if !ok {
		t.Fatalf("%q is not in\n%s", text, code)
	}
	return strconv.Itoa(1 + strings.Count(before, "\n")), strconv.Itoa(len(before) - strings.LastIndex(before, "\n"))
}

// TestMapStackHostile holds that no source map can do harm.
func TestMapStackHostile(t *testing.T) {
	t.Parallel()
	const stack = "    at f (bundle.js:1:5)\n    at g (native)"
	for _, sourceMap := range []string{
		"", "null", "[]", "{}", `{"version":9}`, `{"version":3,"mappings":7}`,
		`{"version":3,"mappings":"AAAA","sources":[]}`,
		`{"version":3,"mappings":"A+/+/+/+/D","sources":["a"]}`,
		`{"version":3,"mappings":"!!!!","sources":["a"]}`,
		`{"version":3,"sections":[{"offset":{"line":0,"column":0}}]}`,
		`{"version":3,"sections":[{"offset":{"line":-9,"column":-9},"map":{"mappings":"AAAA"}}]}`,
		`{"version":3,"mappings":"AAAAA","names":[{}],"sources":["a"]}`,
	} {
		if got := MapStack([]byte(sourceMap), stack); strings.Contains(got, "native") {
			t.Errorf("with the source map %s the stack is %q", sourceMap, got)
		}
	}
	long := strings.Repeat("    at f (bundle.js:2:5)\n", 100_000)
	if got := MapStack(nil, long); strings.Count(got, "\n") >= maxFrames {
		t.Errorf("a stack without end has %d frames", strings.Count(got, "\n"))
	}
}

func FuzzMapStack(f *testing.F) {
	result, err := Build(workflow.Source{Files: tree{"main.ts": "console.log(1)"}, Entrypoint: "main.ts"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(result.SourceMap, "    at f (bundle.js:3:3)\n    at <anonymous> (native)\n")
	f.Add([]byte(`{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":null}]}`), "    at bundle.js:1:1")
	f.Add([]byte(`{"version":3,"mappings":"AACA;AAAAA","sources":[]}`), "at (bundle.js:-1:0)")
	f.Fuzz(func(t *testing.T, sourceMap []byte, stack string) {
		if got := MapStack(sourceMap, stack); len(got) > 64*maxStackBytes+len(sourceMap)*maxFrames {
			t.Errorf("a stack of %d bytes became %d bytes", len(stack), len(got))
		}
	})
}

func BenchmarkMapStack(b *testing.B) {
	result, err := Build(workflow.Source{Files: tree{"src/main.ts": throwing, "src/lib/check.ts": check}, Entrypoint: "src/main.ts"})
	if err != nil {
		b.Fatal(err)
	}
	stack := strings.Repeat("    at f (bundle.js:100:9)\n", 20)
	for b.Loop() {
		MapStack(result.SourceMap, stack)
	}
}
