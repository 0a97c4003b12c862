//go:build external

package docker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// command makes an image of another command.
func command(t *testing.T, script string) string {
	t.Helper()
	words, err := json.Marshal([]string{"node", "-e", script})
	if err != nil {
		t.Fatal(err)
	}
	made, err := daemon.Variant(t.Context(), image, "CMD "+string(words))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// serving is a script that answers /health, and /execute with a body of its own.
func serving(health, execute string) string {
	return `require("http").createServer(async (q, r) => { if (q.url === "/health") { ` + health + ` } else {
		let text = ""; for await (const part of q) text += part; const event = JSON.parse(text); ` + execute + ` } }).listen(8000)`
}

const (
	healthy  = `r.end('{"status":"ok"}')`
	streamer = `r.end('{"status":"ok","flowwd":1}')`
)

func TestHostileImages(t *testing.T) {
	t.Parallel()
	e := start(t, func(c *docker.Config) { c.StartTimeout = 4 * time.Second })
	for name, c := range map[string]struct {
		script string
		reason engine.Reason
		says   string
	}{
		"exits at once":    {`console.error("boom"); process.exit(7)`, engine.Crashed, "ended with the status 7 before it was healthy; its command must serve HTTP on port 8000; it wrote: boom"},
		"no health":        {`require("http").createServer((q, r) => r.writeHead(404).end()).listen(8000)`, engine.Crashed, "GET /health answers with the status 404"},
		"garbage health":   {`require("http").createServer((q, r) => r.end("<html>")).listen(8000)`, engine.Crashed, `GET /health answers "<html>"`},
		"deaf":             {`setInterval(() => {}, 1000)`, engine.Crashed, "nothing answers on port 8000"},
		"mute":             {`require("http").createServer(() => {}).listen(8000)`, engine.Crashed, "GET /health gives no answer"},
		"garbage":          {serving(healthy, `r.end("garbage")`), engine.Crashed, `no JSON: "garbage"`},
		"hangs up":         {serving(healthy, `q.socket.destroy()`), "", "the connection to the container that ran the code was lost"},
		"says no more":     {serving(streamer, `r.write('{"log":[]}\n')`), engine.Timeout, "did not end within"},
		"garbage lines":    {serving(streamer, `r.end("garbage\n")`), engine.Crashed, `a line is no JSON: "garbage"`},
		"unknown line":     {serving(streamer, `r.end("{}\n")`), engine.Crashed, "no known member"},
		"no end":           {serving(streamer, `r.end()`), engine.Crashed, "its answer ends before the run does"},
		"endless line":     {serving(streamer, `const p = Buffer.alloc(1 << 20, "x"); (function more() { while (r.write(p)); r.once("drain", more) })()`), engine.Crashed, "longer than what it may carry"},
		"result no JSON":   {serving(streamer, `r.end('{"done":{"result":"{"}}\n')`), engine.Crashed, "a result is no JSON"},
		"made-up reason":   {serving(streamer, `r.end('{"failed":{"reason":"cancelled","message":"x"}}\n')`), engine.Crashed, "it gives the reason"},
		"no handler":       {serving(healthy, `r.end('{"success":true,"triggersExecuted":0}')`), engine.NoHandler, "registers no such trigger"},
		"failure in a 500": {serving(healthy, `r.writeHead(500).end('{"statusCode":500,"error":"Internal Server Error","message":"the code threw"}')`), engine.Threw, "the code threw"},
		"failure in a 200": {serving(healthy, `r.end('{"success":false,"error":{"message":"told","stack":"at x"}}')`), engine.Threw, "told"},
		"failure inside":   {serving(healthy, `r.end('{"statusCode":500,"error":"Internal Server Error","message":"told inside"}')`), engine.Threw, "told inside"},
		"takes little":     {serving(healthy, `r.writeHead(413).end('{"statusCode":413,"error":"Payload Too Large","message":"x"}')`), engine.Crashed, "takes no request of"},
		"crashes":          {serving(healthy, `process.exit(9)`), engine.Crashed, "ended with the status 9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := handler("")
			from.Image = command(t, c.script)
			call := invocation(t, e, from)
			call.Limits.Timeout = time.Minute // for what a slow machine takes to send
			if c.reason == engine.Timeout {
				call.Limits.Timeout = 3 * time.Second
			}
			_, err := e.Invoke(t.Context(), call, func([]engine.LogLine) {})
			var reason engine.Reason
			if failure, ok := errors.AsType[*engine.Failure](err); ok {
				reason = failure.Reason
			} else if _, ok := errors.AsType[*engine.Interrupted](err); !ok {
				t.Fatalf("got %v (%T)", err, err)
			}
			if reason != c.reason || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q: %v\nwant %q: …%s…", reason, err, c.reason, c.says)
			}
		})
	}
}

func TestImageThatIsGone(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	from := handler("")
	from.Image = "127.0.0.1:1/none@sha256:" + strings.Repeat("0", 64)
	call := invocation(t, e, from)
	_, err := e.Invoke(t.Context(), call, func([]engine.LogLine) {})
	if _, ok := errors.AsType[*engine.Interrupted](err); !ok || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("a run got %v (%T)", err, err)
	}
	if err := e.Prepare(t.Context(), call.OrganizationID, from.Image, func(string) {}); err == nil || !strings.Contains(err.Error(), from.Image) {
		t.Errorf("it was prepared: %v", err)
	}
	from.Image = ""
	if _, err := e.Compile(t.Context(), from); err == nil {
		t.Error("a source without an image was compiled")
	}
}

// reporter reports the end of its run in all ways that there are, and tells what
// the answers were.
const reporter = `const say = async (id, token, body) => (await fetch(event.backendUrl + "/api/executions/" + id + "/complete",
	{method: "POST", headers: token ? {authorization: "Bearer " + token} : {}, body: body ?? "{}"})).status;
	const id = event.executionId, other = "01890000-0000-7000-8000-000000000000";
	const all = [await say(id), await say(id, "x"), await say(other, event.authToken), await say(id, event.authToken, "garbage"),
		await say(id, event.authToken, JSON.stringify({logs: [{timestamp: "garbage", level: "info", message: "one"}, {level: "x", message: "two"}], duration_ms: 1})),
		await say(id, event.authToken, JSON.stringify({error: {message: "late"}})),
		(await fetch(event.backendUrl + "/api/workflows")).status];
	console.log(JSON.stringify(all)); r.writeHead(500).end(JSON.stringify({message: all.join(" ")}))`

func TestReports(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	from := handler("")
	from.Image = command(t, serving(healthy, reporter))
	var lines []string
	_, err := e.Invoke(t.Context(), invocation(t, e, from), func(more []engine.LogLine) {
		for _, l := range more {
			lines = append(lines, fmt.Sprintf("%s %s", l.Level, l.Message))
		}
	})
	if err == nil || err.Error() != "401 401 403 400 200 409 404" {
		t.Errorf("the reports got %v", err)
	}
	if got := strings.Join(lines, ","); got != "info one,log two" {
		t.Errorf("the log is %s", got)
	}
}

// echo tells what it was sent: as what the code declares, and in the log of a run
// whose request is never answered, though its end was reported.
const echo = `if (event.type === "get_definitions") {
		r.end(JSON.stringify({success: true, triggers: [{provider: {type: "builtin", alias: "default"}, triggerType: "onWebhook", input: event}],
			providers: [{type: "builtin", alias: "default"}, {type: "github", alias: "work"}]}));
	} else {
		await fetch(event.backendUrl + "/api/executions/" + event.executionId + "/complete", {method: "POST", headers: {authorization: "Bearer " + event.authToken},
			body: JSON.stringify({logs: [{timestamp: new Date().toISOString(), level: "info", message: JSON.stringify({...event, authToken: event.authToken.length > 20})}], duration_ms: 1})});
		q.socket.destroy();
	}`

// An image that knows only the contract is sent what the contract has and no
// more, gets the configs of the providers that its code declares, and has said
// how a run ended when it has reported that.
func TestWhatImagesAreSent(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	from := workflow.Source{Image: command(t, serving(healthy, echo)), Entrypoint: "main.ts", Files: map[string]string{"main.ts": "code"}}
	call := invocation(t, e, from)
	code := map[string]any{"files": map[string]any{"main.ts": "code"}, "entrypoint": "main.ts"}
	declared, err := e.Define(t.Context(), call.OrganizationID, call.Program)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, declared.Triggers[0].Input, map[string]any{"type": "get_definitions", "userCode": code, "providerConfigs": map[string]any{}})
	if want := []engine.Secret{{ProviderRef: workflow.ProviderRef{Type: "github", Alias: "work"}}}; !cmp.Equal(declared.Secrets, want) {
		t.Errorf("the code asks for %+v, want %+v", declared.Secrets, want)
	}

	call.Event = engine.Event{Fields: json.RawMessage(`{"method":"POST","path":"/webhook/x","headers":{},"query":{},"params":{}}`), HasBody: true, ContentType: "application/json", Body: []byte(`{"b":1,"a":[null]}`)}
	call.Secrets = json.RawMessage(`{"github:work":{"token":"x"}}`)
	var log string
	if _, err := e.Invoke(t.Context(), call, func(lines []engine.LogLine) { log += lines[0].Message }); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, []byte(log), map[string]any{
		"type": "invoke_trigger", "userCode": code,
		"trigger": map[string]any{"provider": map[string]any{"type": "builtin", "alias": "default"}, "triggerType": "onWebhook", "input": map[string]any{"path": "/suite"}, "ordinal": 0.0},
		"data": map[string]any{
			"method": "POST", "path": "/webhook/x", "headers": map[string]any{}, "query": map[string]any{}, "params": map[string]any{}, "body": map[string]any{"b": 1.0, "a": []any{nil}},
		},
		"backendUrl": "http://127.0.0.1:8001", "authToken": true, "executionId": call.ExecutionID.String(),
		"providerConfigs": map[string]any{"github:work": map[string]any{"token": "x"}},
	})
}

func sameJSON(t *testing.T, text []byte, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("an image is sent (-want +got):\n%s", diff)
	}
}

// TestContract runs our own image as one that knows only the contract.
func TestContract(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	of := func(body string) workflow.Source {
		from := handler(body)
		from.Image = plain
		return from
	}
	call := invocation(t, e, of(`console.log("hi", event.body, event.method); if (event.body.fail) throw new Error("no luck"); if (event.body.wait) for (;;) {}`))
	call.Event = engine.Event{Fields: json.RawMessage(`{"method":"POST"}`), HasBody: true, ContentType: "application/json", Body: []byte(`{"a":1}`)}
	invoke := func(body string) (string, error) {
		var log strings.Builder
		call.Event.Body = []byte(body)
		_, err := e.Invoke(t.Context(), call, func(lines []engine.LogLine) {
			for _, l := range lines {
				log.WriteString(l.Message)
			}
		})
		return log.String(), err
	}
	if log, err := invoke(`{"a":1}`); err != nil || log != "hi { a: 1 } POST" {
		t.Errorf("got %q, %v", log, err)
	}
	if log, err := invoke(`{"fail":1}`); err == nil || err.Error() != "Error: no luck" || log == "" {
		t.Errorf("a handler that throws: %q, %v", log, err)
	}
	call.Limits.Timeout = time.Second
	_, err := invoke(`{"wait":1}`)
	if failure, ok := errors.AsType[*engine.Failure](err); !ok || failure.Reason != engine.Timeout {
		t.Errorf("a handler that loops: %v", err)
	}
	call.Limits.Timeout = time.Minute
	if log, err := invoke(`{"a":2}`); err != nil || log != "hi { a: 2 } POST" {
		t.Errorf("after the container was killed: %q, %v", log, err)
	}
	got, err := e.Define(t.Context(), call.OrganizationID, call.Program)
	if err != nil || len(got.Triggers) != 1 || string(got.Triggers[0].Input) != `{"path":"/suite"}` {
		t.Errorf("it declares %+v, %v", got, err)
	}
	broken := invocation(t, e, of(""))
	broken.Program, _ = e.Compile(t.Context(), workflow.Source{Image: plain, Entrypoint: "main.ts", Files: map[string]string{"main.ts": "const fine = 1;\nconst = 2;"}})
	if _, err := e.Define(t.Context(), call.OrganizationID, broken.Program); err == nil || !strings.HasPrefix(err.Error(), "main.ts:2:") {
		t.Errorf("code that is none: %v", err)
	}
}

// credentials are those of one registry.
type credentials struct{}

func (credentials) Credentials(_ context.Context, image string) (user, password string, err error) {
	return "reader", "of " + image, nil
}

func TestPullsWithCredentials(t *testing.T) {
	t.Parallel()
	shown := make(chan string, 100)
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		shown <- user + " " + password
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(registry.Close)
	e := start(t, func(c *docker.Config) { c.Credentials = credentials{} })
	name := registry.Listener.Addr().String() + "/mine@sha256:" + strings.Repeat("1", 64)
	if err := e.Prepare(t.Context(), id.NewSource(time.Now).New(), name, func(string) {}); err == nil {
		t.Error("an image that is not there was prepared")
	}
	select {
	case got := <-shown:
		if got != "reader of "+name {
			t.Errorf("the registry was shown %q", got)
		}
	default:
		t.Error("the registry was shown no credentials")
	}
}
