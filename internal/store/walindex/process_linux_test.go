package walindex_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/usefloww/flowwd/internal/store/walindex"
)

// processWord is how the program of these tests is told to be another process:
// PROGRAM processWord DATABASE plain|attached.
const processWord = "walindex-test-process"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == processWord {
		if err := process(os.Args[2], os.Args[3] == "attached"); err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process opens a database and runs a statement for each line that it is given.
// It answers each with "ok" or an error.
func process(path string, attach bool) error {
	if attach {
		release, err := walindex.Attach(path)
		if err != nil {
			return err
		}
		defer release() //nolint:errcheck // the process ends
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw&_pragma=busy_timeout(5000)&_pragma=synchronous(off)")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // the process ends
	if _, err := db.Exec("SELECT n FROM counter"); err != nil {
		return err
	}
	fmt.Println("ok")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if _, err := db.Exec(lines.Text()); err != nil {
			return err
		}
		fmt.Println("ok")
	}
	return nil
}

// other is another process that may have a database open.
type other struct {
	t       *testing.T
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// begin starts a process and returns what it says first.
func begin(t *testing.T, path, how string) (*other, string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	o := &other{t: t, command: exec.CommandContext(ctx, os.Args[0], processWord, path, how)}
	t.Cleanup(stop)
	out, err := o.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if o.in, err = o.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	o.out = bufio.NewReader(out)
	if err := o.command.Start(); err != nil {
		t.Fatal(err)
	}
	return o, o.said()
}

// attached starts a process that has a database open.
func attached(t *testing.T, path string) *other {
	t.Helper()
	o, said := begin(t, path, "attached")
	if said != "ok" {
		t.Fatalf("another process: %s", said)
	}
	return o
}

func (o *other) said() string {
	text, err := o.out.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(text)
}

func (o *other) run(statement string) string {
	if _, err := io.WriteString(o.in, statement+"\n"); err != nil {
		return err.Error()
	}
	return o.said()
}

const increment = "UPDATE counter SET n = n + 1"

// increment ends the test when the process can't write.
func (o *other) increment() {
	o.t.Helper()
	if said := o.run(increment); said != "ok" {
		o.t.Fatalf("another process: %s", said)
	}
}

func (o *other) end() {
	o.t.Helper()
	_ = o.in.Close()
	if err := o.command.Wait(); err != nil {
		o.t.Errorf("another process: %v", err)
	}
}

func (o *other) kill() {
	_ = o.command.Process.Signal(syscall.SIGKILL)
	_ = o.command.Wait()
}
