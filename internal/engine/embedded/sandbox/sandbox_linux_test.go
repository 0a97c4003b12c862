//go:build linux && (amd64 || arm64)

package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine/embedded/sandbox"
)

// insideWord is the first argument of a test binary that goes into the sandbox.
const insideWord = "inside"

// task is what a process inside is to do.
type task struct {
	// Do names an entry of the table of tasks.
	Do      string
	Options sandbox.Options
	// Text is for the task.
	Text string
}

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == insideWord {
		os.Exit(inside(os.Args[2]))
	}
	os.Exit(m.Run())
}

// inside enters the sandbox, does a task and prints its answer as JSON.
func inside(text string) int {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	prepare()
	var status sandbox.Status
	var err error
	if t.Do == "landlock" {
		status.Landlock, err = sandbox.Restrict(t.Options.MaxLandlock)
	} else {
		status, err = sandbox.Enter(t.Options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	answer := tasks()[t.Do](t, status)
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		return 4
	}
	return 0
}

// run starts a process inside and reads its answer.
func run(t *testing.T, do task, answer any, files ...*os.File) {
	t.Helper()
	out, err := start(t, do, files...)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("the answer %q: %v", out, err)
	}
}

func start(t *testing.T, do task, files ...*os.File) ([]byte, error) {
	t.Helper()
	text, err := json.Marshal(do)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, insideWord, string(text))
	cmd.ExtraFiles = files
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %.2000s", err, errors.String())
	}
	return out.Bytes(), nil
}

func TestSupportedHere(t *testing.T) {
	t.Parallel()
	if err := sandbox.Supported(); err != nil {
		t.Fatalf("the tests of the sandbox need a kernel that has it: %v", err)
	}
}

// TestNothingGetsOut makes the system calls that lead out of a process. The
// kernel must refuse each.
func TestNothingGetsOut(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	run(t, task{Do: "escape", Options: sandbox.Options{Data: 256 << 20}}, &got)
	if len(got) != len(escapes()) {
		t.Errorf("%d of %d attempts were made", len(got), len(escapes()))
	}
	for name, result := range got {
		if result != "operation not permitted" {
			t.Errorf("%s: %s", name, result)
		}
	}
}

// TestComputingGoesOn does inside what the Go runtime needs: memory, garbage
// collection, threads, timers, preemption.
func TestComputingGoesOn(t *testing.T) {
	t.Parallel()
	var got string
	run(t, task{Do: "compute", Options: sandbox.Options{Data: 512 << 20}}, &got)
	if got != "fine" {
		t.Error(got)
	}
}

func TestInheritedFilesAreClosed(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got := map[int]string{}
	run(t, task{Do: "files"}, &got, file, file, file)
	if len(got) < 32 {
		t.Fatalf("only %d descriptors were tried", len(got))
	}
	for fd, result := range got {
		// The runtime's own poller cannot be read.
		if result != "bad file descriptor" && result != "invalid argument" {
			t.Errorf("descriptor %d is open: %s", fd, result)
		}
	}
}

// TestLandlockLevels tries what each level that the kernel has denies by itself,
// without the list of system calls over it.
func TestLandlockLevels(t *testing.T) {
	t.Parallel()
	var highest sandbox.Status
	run(t, task{Do: "status"}, &highest)
	if highest.Landlock < 1 {
		t.Fatal("no Landlock is in force")
	}
	for level := 1; level <= highest.Landlock; level++ {
		t.Run(fmt.Sprint(level), func(t *testing.T) {
			t.Parallel()
			var status sandbox.Status
			run(t, task{Do: "status", Options: sandbox.Options{MaxLandlock: level}}, &status)
			if status.Landlock != level {
				t.Errorf("level %d is in force, want %d", status.Landlock, level)
			}
			got := landlockOnly(t, level)
			for what, since := range map[string]int{
				"read a file": 1, "write a file": 1, "list a folder": 1, "make a folder": 1, "execute": 1,
				"connect": 4, "bind": 4,
				"abstract socket": 6, "signal": 6,
			} {
				if denied := got[what] == "denied"; level >= since && !denied {
					t.Errorf("%s: %s, want it to be denied since level %d", what, got[what], since)
				}
			}
		})
	}
}
