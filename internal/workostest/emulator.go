package workostest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What the emulator knows this server by.
const (
	ClientID = "client_test"
	APIKey   = "sk_test_floww"
)

// Person is somebody with an account.
type Person struct {
	Email     string `json:"email"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Password  string `json:"password,omitempty"`
}

// Emulator is a running emulator.
type Emulator struct {
	// URL is its address, as its tokens name it.
	URL string
}

// program is the emulator as its package offers it to programs; the command
// `workos emulate` does the same, and needs a keyring for what else it can do.
const program = `
import { createEmulator } from 'workos/emulate';
const emulator = await createEmulator({ port: 0, seed: JSON.parse(process.argv[1]) });
console.log(JSON.stringify({ url: emulator.url }));
`

// Start starts an emulator that knows some people, the one who logs in first,
// and stops it with the test.
func Start(t testing.TB, people ...Person) *Emulator {
	t.Helper()
	seed, err := json.Marshal(map[string]any{"apiKeys": map[string]any{APIKey: map[string]string{"environment": "test"}}, "users": people})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", "--input-type=module", "--eval", program, string(seed))
	command.Dir = tools(t)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start the emulator of WorkOS: %v", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // fails when it has ended already
		_ = command.Wait()
	})
	// It says where it listens, or ends.
	timer := time.AfterFunc(30*time.Second, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	var ready struct{ URL string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		_ = command.Wait()
		t.Fatalf("the emulator of WorkOS does not start (scripts/setup installs it): %v\n%s", err, complaints.String())
	}
	return &Emulator{URL: ready.URL}
}

// tools returns the folder that scripts/setup fills.
func tools(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("nobody knows where this file is")
	}
	dir := filepath.Join(filepath.Dir(file), "../../.tools")
	if _, err := os.Stat(filepath.Join(dir, "node_modules/workos")); err != nil {
		t.Fatalf("the emulator of WorkOS is missing; run scripts/setup: %v", err)
	}
	return dir
}

// Tokens are what a login gives.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	User         struct {
		ID string `json:"id"`
	} `json:"user"`
}

// LogIn logs a person in with a password, as a client of its own does.
func (e *Emulator) LogIn(t testing.TB, p Person) Tokens {
	t.Helper()
	var got Tokens
	e.Call(t, http.MethodPost, "/user_management/authenticate", map[string]string{
		"grant_type": "password", "client_id": ClientID, "email": p.Email, "password": p.Password,
	}, &got)
	return got
}

// Call makes a request with the API key. A nil into drops the answer.
func (e *Emulator) Call(t testing.TB, method, path string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, e.URL+path, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+APIKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("ask the emulator: %v", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("ask the emulator: %s %s: %s", method, path, response.Status)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(fmt.Errorf("ask the emulator: %w", err))
	}
}
