package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// checkMode asserts the permissions of files: mode 0600 FILE...
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode MODE FILE...")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := info.Mode().Perm(); got != os.FileMode(want) {
			ts.Fatalf("%s has mode %04o, want %04o", name, got, want)
		}
	}
}

// freePort puts an address with a free port into a variable: freeport NAME.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer listener.Close()
	ts.Setenv(args[0], listener.Addr().String())
}

// waitReady waits until a server answers that it is ready: ready HOST:PORT.
func waitReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready HOST:PORT")
	}
	last := error(nil)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		answer, err := http.Get("http://" + args[0] + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("status %d", answer.StatusCode)
		}
		last = err
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s is not ready: %v", args[0], last)
}
