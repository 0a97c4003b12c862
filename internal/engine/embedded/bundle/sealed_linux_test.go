package bundle

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"

	"github.com/usefloww/flowwd/internal/workflow"
)

// sealVariable makes the test program a process that loses its access to files
// and then builds a source from its standard input. Its value is how the
// kernel answers an access: "kill" or "deny".
const sealVariable = "BUNDLE_TEST_SEAL"

func TestMain(m *testing.M) {
	if how := os.Getenv(sealVariable); how != "" {
		if err := buildSealed(how); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func buildSealed(how string) error {
	var source workflow.Source
	if err := json.NewDecoder(os.Stdin).Decode(&source); err != nil {
		return err
	}
	if err := seal(how); err != nil {
		return err
	}
	result, err := Build(source)
	if err != nil {
		fmt.Println("refused:", err)
		return nil
	}
	fmt.Println("built:", len(result.Code) > 0 && len(result.SourceMap) > 0)
	return nil
}

// seal takes away every call that looks at the file system or opens a socket.
func seal(how string) error {
	action := seccomp.ActionErrno
	if how == "kill" {
		action = seccomp.ActionKillProcess
	}
	here, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	names := []string{
		"open", "openat", "openat2", "stat", "lstat", "newfstatat", "fstatat", "statx", "access", "faccessat", "faccessat2",
		"getcwd", "chdir", "readlink", "readlinkat", "getdents64", "socket", "connect", "execve", "execveat",
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, known := here.SyscallNames[name]
		return !known
	})
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Action: action, Names: names}},
		},
	})
}

// inSealed returns what a sealed process says about a source.
func inSealed(t *testing.T, how string, files tree) (string, error) {
	t.Helper()
	source, err := json.Marshal(workflow.Source{Files: files, Entrypoint: "main.ts"})
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = []string{sealVariable + "=" + how}
	cmd.Stdin = strings.NewReader(string(source))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestBuildTouchesNoFile builds where the kernel kills a process that as much
// as looks at a file.
func TestBuildTouchesNoFile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		files tree
		want  string
	}{
		{"SDK and packages", tree{
			"main.ts":                     `import { Builtin } from "floww"; import { v } from "p"; import "./data.json"; new Builtin(); console.log(v)`,
			"data.json":                   `{}`,
			"tsconfig.json":               `{"extends":"./base.json"}`,
			"node_modules/p/package.json": `{"exports":"./a.js"}`,
			"node_modules/p/a.js":         "export const v = 1",
		}, "built: true"},
		{"imports that are refused", tree{"main.ts": `import "./gone"; import "gone"; import "node:fs"; require("../../gone"); import("https://a/b")`}, "refused: main.ts:1:8"},
		{"syntax that is refused", tree{"main.ts": "const = 1"}, "refused: main.ts:1:7"},
		{"source maps", tree{"main.ts": "console.log(1) //# sourceMappingURL=file:///etc/passwd\n//# sourceMappingURL=file:///etc/passwd"}, "built: true"},
		{"source map as data", tree{"main.ts": `/*# sourceMappingURL=data:application/json,{"version":3,"mappings":"AAAA","sources":["file:///etc/passwd"]} */ console.log(1)`}, "built: true"},
		{"entrypoint with *", tree{"main.ts": `import "./*"`}, "refused: main.ts:1:8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := inSealed(t, "kill", tc.files)
			if err != nil {
				t.Fatalf("a process that must not touch files ended with %v\n%s", err, got)
			}
			if !strings.HasPrefix(got, tc.want) {
				t.Errorf("got %q, want it to begin with %q", got, tc.want)
			}
		})
	}
}

// TestBuildComputedImports is about the one thing that makes the compiler look
// for files by itself.
func TestBuildComputedImports(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"import(`./pages/${globalThis.n}`)",
		"import(('../'.length, '../../etc/' + globalThis.n))",
		"require('../../../../../../../../../etc/' + globalThis.n)",
	} {
		got, err := inSealed(t, "deny", tree{"main.ts": code})
		if err != nil {
			t.Fatalf("with %s the process ended with %v\n%s", code, err, got)
		}
		if strings.Contains(code, "length") {
			if got != "built: true" {
				t.Errorf("with %s got %q, want it left to fail when it runs", code, got)
			}
		} else if !strings.Contains(got, computedImport) {
			t.Errorf("with %s got %q, want %q", code, got, computedImport)
		}
	}
}

// TestSealKills holds that the seal of the tests above does something.
func TestSealKills(t *testing.T) {
	t.Parallel()
	got, err := inSealed(t, "kill", tree{"main.ts": "import('./pages/' + globalThis.n)"})
	if err == nil {
		t.Errorf("a process that looks for files went on: %s", got)
	}
}
