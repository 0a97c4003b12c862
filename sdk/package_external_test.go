//go:build external

package sdk_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/sdk"
)

var update = flag.Bool("update", false, "write sdk/types anew")

// node runs a program of Node in a folder and returns what it says.
func node(t *testing.T, dir string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", arguments...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	return string(out), err
}

// modules is where scripts/setup has put what these tests need.
func modules(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../.tools/node_modules")
	if err == nil {
		_, err = os.Stat(filepath.Join(path, "typescript"))
	}
	if err != nil {
		t.Fatalf("the TypeScript compiler is not here; scripts/setup installs it: %v", err)
	}
	return path
}

func compiler(t *testing.T) string { return filepath.Join(modules(t), "typescript/bin/tsc") }

// The types that editors get are those of the sources.
func TestTypesAreFresh(t *testing.T) {
	t.Parallel()
	fresh := t.TempDir()
	if *update {
		fresh = "types"
	}
	project, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := node(t, project, compiler(t), "-p", ".", "--outDir", fresh); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff(read(t, fresh), read(t, "types")); diff != "" {
		t.Errorf("sdk/types is stale; run this test with -update (-want +got):\n%s", diff)
	}
}

func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

// installed is a folder where npm has installed the package.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text, err := sdk.Package()
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "floww.tgz", string(text))
	write(t, dir, "package.json", `{"name":"test","private":true,"type":"module"}`)
	install := exec.CommandContext(t.Context(), "npm", "install", "--offline", "--no-audit", "--no-fund", "./floww.tgz")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, out)
	}
	if err := os.Symlink(filepath.Join(modules(t), "zod"), filepath.Join(dir, "node_modules/zod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The examples are right by the types, and mistakes are not.
func TestPackageTypesExamples(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS("../examples")); err != nil {
		t.Fatal(err)
	}
	check := []string{compiler(t), "--noEmit", "--strict", "--target", "es2023", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2023,dom"}
	write(t, dir, "examples/native/sharp.d.ts", `declare module "sharp";`) // its package is in the example's image
	sources, err := filepath.Glob(filepath.Join(dir, "examples/*/*.ts"))
	if err != nil || len(sources) < 5 {
		t.Fatalf("there are %d sources of examples (%v)", len(sources), err)
	}
	if out, err := node(t, dir, append(check, sources...)...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wrong := []struct{ code, want string }{
		{`new Builtin().triggers.onWebhook({ handler: 1 });`, "is not assignable to type 'Handler<"},
		{`new Builtin().triggers.onCron({ expression: "* * * * *", handler: (_, e) => e.scheduledTime.foo });`, "Property 'foo' does not exist on type 'Date'"},
		{`new KVStore().getTable<number>("t").set("k", "text");`, "Argument of type 'string' is not assignable to parameter of type 'number'"},
		{`const n: number = new Secret("s", z.object({ token: z.string() })).value().token;`, "Type 'string' is not assignable to type 'number'"},
		{`new Builtin().triggers.onWebhook<{ a: number }>({ handler: (_, e) => e.body.b, retry: { tries: 1 } });`, "Property 'b' does not exist on type"},
	}
	var files []string
	for i, w := range wrong {
		files = append(files, fmt.Sprintf("wrong%d.ts", i))
		write(t, dir, files[i], `import { Builtin, KVStore, Secret } from "floww"; import { z } from "zod"; `+w.code)
	}
	out, err := node(t, dir, append(check, files...)...)
	if err == nil {
		t.Error("mistakes are taken")
	}
	for i, w := range wrong {
		_, of, _ := strings.Cut(out, files[i]+"(")
		if of, _, _ = strings.Cut(of, "\nwrong"); !strings.Contains(of, w.want) {
			t.Errorf("%s: %s, want %s", w.code, of, w.want)
		}
	}
}

// The kit runs a workflow in plain Node.
func TestKitRunsWorkflows(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	write(t, dir, "test.mjs", `
		import { resetAll, setSecret } from "floww/testing";
		import { Builtin, KVStore, Secret } from "floww";
		import { z } from "zod";
		const builtin = new Builtin(), other = new Builtin("other"), store = new KVStore(), secret = new Secret("s", z.object({ token: z.string() }));
		const seen = [];
		builtin.triggers.onWebhook({ path: "a", handler: async (ctx, e) => { seen.push([ctx.attempt, e.method, e.path, e.headers, e.query, e.body, new TextDecoder().decode(e.rawBody)]); await store.increment("t", "n", e.body.by); } });
		builtin.triggers.onWebhook({ path: "b", handler: (_, e) => { if (e.body.fail) throw new Error("no") } });
		builtin.triggers.onCron({ expression: "* * * * *", handler: (_, e) => { seen.push([e.scheduledTime instanceof Date, e.expression]) } });
		builtin.triggers.onManual({ name: "m", handler: (_, e) => { seen.push([e.triggered_by, e.input_data, secret.value().token]) } });
		const results = [await builtin.triggers.onWebhook.invoke({ body: { by: 2 } }), await other.triggers.onWebhook.invoke({})];
		const failed = await builtin.triggers.onWebhook.invoke({ body: { by: 1, fail: true } });
		await builtin.triggers.onCron.invoke();
		setSecret("s", { token: "x" });
		await builtin.triggers.onManual.invoke({ input_data: { a: 1 } });
		const kept = [await store.get("t", "n"), await store.listKeys("t"), await store.set("t", "n", 1, { ifVersion: 9 }).catch((e) => e.statusCode), await store.set("t", "../x", 1).catch((e) => e.statusCode)];
		resetAll();
		console.log(JSON.stringify({ results, failed: [failed.success, failed.error.message], seen, kept, after: await store.get("t", "n") === undefined, secret: (await builtin.triggers.onManual.invoke({})).success }));`)
	out, err := node(t, dir, "test.mjs")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `{"results":[{"success":true},{"success":true}],"failed":[false,"no"],"seen":[[1,"POST","/webhook",{},{},{"by":2},"{\"by\":2}"],` +
		`[1,"POST","/webhook",{},{},{"by":1,"fail":true},"{\"by\":1,\"fail\":true}"],[true,"* * * * *"],["test-user",{"a":1},"x"]],"kept":[3,["n"],409,400],"after":true,"secret":false}`
	if diff := cmp.Diff(want, strings.TrimSpace(out)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
