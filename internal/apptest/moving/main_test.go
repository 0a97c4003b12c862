package moving

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// command is a flowwd command on a data folder and the database that belongs to
// it.
func command(t *testing.T, dir string, arguments ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), apptest.Binary(t), append(arguments, "--data-dir", dir)...)
	c.Env = append(os.Environ(), "DATABASE_URL="+apptest.DatabaseURL(dir))
	c.Dir = t.TempDir()
	return c
}

// try runs a command and returns what it printed; its complaint is in the error.
func try(t *testing.T, dir string, arguments ...string) (string, error) {
	t.Helper()
	c := command(t, dir, arguments...)
	var complaint bytes.Buffer
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("flowwd %v: %w: %s%s", arguments, err, out, &complaint)
	}
	return string(out), err
}

// do runs a command that must go well.
func do(t *testing.T, dir string, arguments ...string) string {
	t.Helper()
	out, err := try(t, dir, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// serve starts a server on a data folder that has the key already.
func serve(t *testing.T, dir, key string, arguments ...string) *apptest.Process {
	t.Helper()
	p := apptest.StartProcess(t, dir, arguments...)
	p.Key = key
	return p
}
