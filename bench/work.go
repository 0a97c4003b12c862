package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// worked is how many events are sent for each figure of working workflows.
const worked = 200

// work is a workflow that does something, in parts that are measured alone too.
func work(address string) []struct{ name, code string } {
	parts := []struct{ name, code string }{
		{"1 MB of JSON parsed and written", `
    const text = "[" + '{"id":1234567,"name":"Ada Lovelace","tags":["a","b"],"total":12.5},'.repeat(15_000) + "{}]";
    const size = JSON.stringify(JSON.parse(text)).length;
    if (size < 1_000_000) throw new Error("only " + size);
`},
		{"an HMAC checked", `
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("secret"), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    const signature = await crypto.subtle.sign("HMAC", key, event.rawBody);
    if (!(await crypto.subtle.verify("HMAC", key, signature, event.rawBody))) throw new Error("wrong signature");
`},
		{"three fetches", `
    const answers = await Promise.all([1, 2, 3].map(async (n) => (await fetch("` + address + `/?n=" + n)).json()));
    if (!answers.every((a) => a.ok)) throw new Error("wrong answer");
`},
		{"two writes to the key-value store", `
    await store.increment(ctx.workflowId, "count");
    await store.set(ctx.workflowId, "last-" + (event.body.name ?? ""), { at: Date.now() });
`},
	}
	all := ""
	for _, p := range parts {
		all += "{" + p.code + "}"
	}
	parts = append(parts, struct{ name, code string }{"all of it", all})
	for i := range parts {
		parts[i].code = `import { Builtin, KVStore } from "floww";
const store = new KVStore();
new Builtin().triggers.onWebhook<any>({ path: "work", handler: async (ctx, event) => {` + parts[i].code + `    return "done";
  } });
`
	}
	return append([]struct{ name, code string }{{"hello", hello}}, parts...)
}

// measureWork measures a workflow that works beside one that says hello.
func measureWork(ctx context.Context, o options, in installation, folder string, r *report) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	outside := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"ok":true}`)
	})}
	go func() { _ = outside.Serve(listener) }() // ends with Close
	defer outside.Close()
	o.env = append(o.env, "FLOWW_FETCH_ALLOW="+listener.Addr().String())
	f, err := in.start(ctx, o, filepath.Join(folder, "work"))
	if err != nil {
		return err
	}
	for _, w := range work("http://" + listener.Addr().String()) {
		path, err := f[0].deploy(ctx, w.name, w.code)
		if err != nil {
			return err
		}
		if err := f.sendAll(ctx, path, worked/10); err != nil { // warms it up
			return err
		}
		before, err := f.completed()
		if err != nil {
			return err
		}
		begin := time.Now()
		if err := f.sendAll(ctx, path, worked); err != nil {
			return err
		}
		took := time.Since(begin)
		after, err := f.completed()
		if err != nil {
			return err
		}
		if after-before != worked {
			return fmt.Errorf("%s: of %d runs %d completed; the last one: %s", w.name, worked, after-before, f[0].lastError(ctx, path))
		}
		r.add("a handler with "+w.name+": completed", "%.0f/s of %d", worked/took.Seconds(), worked)
	}
	bytes, children, err := f.memory()
	if err != nil {
		return err
	}
	r.add("memory after working", "%d MB with %d children", bytes>>20, children)
	return f.stop()
}

// sendAll sends so many events by 8 clients and waits until all have run.
func (f fleet) sendAll(ctx context.Context, path string, events int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	due := make(chan int, events)
	for i := range events {
		due <- i
	}
	close(due)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range due {
				if _, err := f[i%len(f)].post(ctx, path); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return f.drained(ctx)
}

// lastError is what the newest run of a webhook's workflow said.
func (s *server) lastError(ctx context.Context, path string) string {
	runs, err := s.api.Executions(ctx, strings.Split(path, "/")[2], 1, 0)
	if err != nil || len(runs) == 0 || runs[0].ErrorMessage == nil {
		return fmt.Sprint("unknown: ", err)
	}
	return *runs[0].ErrorMessage
}
