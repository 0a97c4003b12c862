package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strconv"
	"strings"
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
	err := within(time.Minute, func() error {
		answer, err := http.Get("http://" + args[0] + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", answer.StatusCode)
		}
		return nil
	})
	if err != nil {
		ts.Fatalf("%s is not ready: %v", args[0], err)
	}
}

// post sends JSON to the webhook that a deployment printed: post FILE BODY.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: post FILE BODY")
	}
	_, address, found := strings.Cut(strings.TrimSpace(ts.ReadFile(args[0])), " → ")
	if !found {
		ts.Fatalf("%s holds no webhook", args[0])
	}
	answer, err := http.Post(address, "application/json", strings.NewReader(args[1]))
	ts.Check(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		ts.Fatalf("%s answers %s: %s", address, answer.Status, text)
	}
}

// decide does what a person with a browser does about the login whose address a
// command has printed: decide approve|deny FILE LOGIN PASSWORD.
func decide(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: decide approve|deny FILE LOGIN PASSWORD")
	}
	var page *url.URL
	err := within(time.Minute, func() error {
		text, err := os.ReadFile(ts.MkAbs(args[1]))
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if address, ok := strings.CutPrefix(line, "  http"); ok {
				page, err = url.Parse("http" + strings.TrimSpace(address))
				return err
			}
		}
		return fmt.Errorf("%s holds no address", args[1])
	})
	ts.Check(err)
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	browser := &http.Client{Jar: jar}
	for _, form := range []struct {
		path   string
		values url.Values
	}{
		{"/auth/login", url.Values{"username": {args[2]}, "password": {args[3]}}},
		{page.Path, url.Values{"user_code": {page.Query().Get("user_code")}, "decision": {args[0]}}},
	} {
		answer, err := browser.PostForm("http://"+page.Host+form.path, form.values)
		ts.Check(err)
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			ts.Fatalf("%s answers %s", form.path, answer.Status)
		}
	}
}

// eventually runs a command until its output has a text N times:
// eventually N TEXT COMMAND...
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: eventually N TEXT COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = within(time.Minute, func() error {
		if err := ts.Exec(args[2], args[3:]...); err != nil {
			return err
		}
		if got := strings.Count(ts.ReadFile("stdout"), args[1]); got != want {
			return fmt.Errorf("%q is there %d times, not %d", args[1], got, want)
		}
		return nil
	})
	ts.Check(err)
}

// within tries until there is no error or the time is over, and returns the
// last one.
func within(limit time.Duration, try func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
