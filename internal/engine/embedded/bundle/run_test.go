package bundle

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"modernc.org/quickjs"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// prelude is a host for scripts under test: it keeps what they log and
// register. It is one line, as a realm's own scripts must be.
const prelude = `globalThis.lines = []; globalThis.registered = []; globalThis.__floww = { provider() {}, module: (name) => ({ v: name }), trigger(t) { registered.push(t) } }; ` +
	`globalThis.console = { log: (...args) => { lines.push(args.map((a) => typeof a === "string" ? a : JSON.stringify(a)).join(" ")) } };`

// script is a bundle in a realm of its own.
type script struct {
	t  *testing.T
	vm *quickjs.VM
}

// run builds a source and evaluates it.
func run(t *testing.T, files map[string]string, entrypoint string) *script {
	t.Helper()
	result, err := Build(workflow.Source{Files: files, Entrypoint: entrypoint})
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	vm, err := quickjs.NewVM()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { vm.Close() })
	s := &script{t, vm}
	s.eval(prelude)
	s.eval(string(result.Code))
	if _, err := vm.ExecutePendingJobs(); err != nil {
		t.Fatalf("pending jobs: %v", err)
	}
	return s
}

func (s *script) eval(code string) any {
	s.t.Helper()
	value, err := s.vm.Eval(code, quickjs.EvalGlobal)
	if err != nil {
		s.t.Fatalf("evaluate: %v", err)
	}
	return value
}

// log returns what the script has logged, one line each.
func (s *script) log() string {
	s.t.Helper()
	text, _ := s.eval(`lines.join("\n")`).(string)
	return text
}

// invoke calls the first handler with an event in JSON and returns its result
// in JSON.
func (s *script) invoke(event string) string {
	s.t.Helper()
	quoted, err := json.Marshal(event)
	if err != nil {
		s.t.Fatal(err)
	}
	s.eval(`globalThis.result = "pending"; (async () => {
		const event = JSON.parse(` + string(quoted) + `);
		event.rawBody = new Uint8Array(3);
		return registered[0].handler({ executionId: "e1", workflowId: "w1", attempt: 1 }, event);
	})().then((value) => { result = JSON.stringify(value) }, (err) => { result = String(err) }); undefined`)
	if _, err := s.vm.ExecutePendingJobs(); err != nil {
		s.t.Fatalf("pending jobs: %v", err)
	}
	text, _ := s.eval("result").(string)
	return text
}

// problems builds a source that is at fault and returns what is wrong, one
// problem a line.
func problems(t *testing.T, files map[string]string, entrypoint string) string {
	t.Helper()
	result, err := Build(workflow.Source{Files: files, Entrypoint: entrypoint})
	var failed *engine.CompileError
	if !errors.As(err, &failed) {
		t.Fatalf("Build = %q, %v, want a CompileError", result.Code, err)
	}
	if len(result.Code) > 0 {
		t.Error("Build returned code beside its error")
	}
	return strings.TrimSpace(failed.Error())
}
