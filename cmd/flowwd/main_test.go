package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/usefloww/flowwd/internal/engine/embedded"
)

func TestMain(m *testing.M) {
	// The server under test starts its processes for user code from this
	// binary, under a name that testscript does not know.
	if len(os.Args) > 1 && os.Args[1] == embedded.ChildWord {
		main()
	}
	testscript.Main(m, map[string]func(){"flowwd": main})
}

// TestCommandLine runs the scripts of testdata/script. Each is one story of
// somebody at a shell; the commands are this program.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			return nil
		},
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mode":       checkMode,
			"ready":      waitReady,
			"freeport":   freePort,
			"post":       post,
			"decide":     decide,
			"eventually": eventually,
		},
	})
}
