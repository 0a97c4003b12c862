package apptest_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// receiver is an OTLP receiver.
type receiver struct {
	url string

	mu     sync.Mutex
	raw    bytes.Buffer
	spans  []*tracepb.Span
	asked  int
	header http.Header
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP takes all but the first batch, which it wants again.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	var all tracepb.TracesData
	if err != nil || q.URL.Path != "/otlp/v1/traces" || q.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &all) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.header = q.Header
	if r.asked++; r.asked == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.raw.Write(body)
	for _, of := range all.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

// trace returns the spans of an execution's trace by their ids.
func (r *receiver) trace(execution string) map[string]*tracepb.Span {
	id := strings.ReplaceAll(execution, "-", "")
	all := map[string]*tracepb.Span{}
	for _, s := range r.spans {
		if hex.EncodeToString(s.TraceId) == id {
			all[string(s.SpanId)] = s
		}
	}
	return all
}

// ways are the spans of a trace, each by its way from the root, with an ! behind
// one that failed.
func ways(trace map[string]*tracepb.Span) map[string]int {
	all := map[string]int{}
	for _, s := range trace {
		way := s.Name
		if s.Status != nil {
			way += "!"
		}
		for up := trace[string(s.ParentSpanId)]; up != nil; up = trace[string(up.ParentSpanId)] {
			way = up.Name + " > " + way
			s = up
		}
		if len(s.ParentSpanId) > 0 {
			way = "lost > " + way
		}
		all[way]++
	}
	return all
}

// What happens to an event is one trace, from the request to the stored end, with
// the execution's id, and holds nothing of what it works with.
func TestTracesOfRuns(t *testing.T) {
	t.Parallel()
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }))
	t.Cleanup(outside.Close)
	r := newReceiver(t)
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.TraceEndpoint, c.TraceHeaders, c.FetchAllow = r.url+"/otlp", "x-key=a%2Cb", strings.TrimPrefix(outside.URL, "http://")
	}})
	d := s.Deploy(t, "traced", `import { Builtin, KVStore } from "floww";
const builtin = new Builtin();
const store = new KVStore();
builtin.triggers.onWebhook({ path: "in", retry: { attempts: 2, delay: 0.001 }, handler: async (ctx: any, event: any) => {
  await fetch("`+outside.URL+`/hidden-path");
  await store.set("traced", "hidden-key", "hidden-value");
  if (event.body.fail) throw new Error("hidden-failure");
}});
`)
	const caller = "0af7651916cd43dd8448eb211c80319c"
	good := d.Send(t, `{"fail":false,"hidden-body":1}`, "Traceparent", "00-"+caller+"-b7ad6b7169203331-01", "Idempotency-Key", "hidden-delivery", "X-Else", "hidden-header")
	if again := d.Send(t, `{"fail":false,"hidden-body":1}`, "Idempotency-Key", "hidden-delivery"); again != good {
		t.Fatalf("the same delivery is execution %s and %s", good, again)
	}
	bad := d.Send(t, `{"fail":true}`)
	if is := s.Ended(t, good).Status; is != "completed" {
		t.Errorf("the run is %s", is)
	}
	if is := s.Ended(t, bad); is.Status != "failed" || is.Attempt != 2 {
		t.Errorf("the run that fails is %s in attempt %d", is.Status, is.Attempt)
	}
	s.Stop(t)

	r.mu.Lock()
	defer r.mu.Unlock()
	const request = "POST /webhook/{path...}"
	want := map[string]int{
		request: 1, request + " > accept an event": 1, request + " > accept an event > accept an execution": 1,
		request + " > wait": 1, request + " > run": 1, request + " > run > invoke": 1, request + " > run > invoke > fetch": 1,
		request + " > run > invoke > kv": 1, request + " > run > invoke > kv > store a value": 1, request + " > run > finish an execution": 1,
	}
	if diff := cmp.Diff(want, ways(r.trace(good))); diff != "" {
		t.Errorf("the trace of a run (-want +got):\n%s", diff)
	}
	failed := ways(r.trace(bad))
	if failed[request+" > run!"] != 2 || failed[request+" > run > finish an execution"] != 1 {
		t.Errorf("the trace of a run that fails twice is %v", failed)
	}
	linked, repeated := false, false
	for _, s := range r.spans {
		for _, l := range s.Links {
			linked = linked || s.Name == request && hex.EncodeToString(l.TraceId) == caller
			repeated = repeated || s.Name == "accept an event" && hex.EncodeToString(l.TraceId) == strings.ReplaceAll(good, "-", "")
		}
		if hex.EncodeToString(s.TraceId) == caller {
			t.Errorf("%s is in the caller's trace", s.Name)
		}
	}
	if !linked || !repeated {
		t.Errorf("the caller is linked: %t; the first delivery is: %t", linked, repeated)
	}
	if bytes.Contains(r.raw.Bytes(), []byte("hidden")) {
		t.Error("the traces hold what the run worked with")
	}
	if r.header.Get("X-Key") != "a,b" || r.asked < 2 {
		t.Errorf("the receiver was asked %d times, with the key %q", r.asked, r.header.Get("X-Key"))
	}
}

// A receiver that takes connections and says nothing holds no run up, and not the
// server's end.
func TestDeafReceiverOfTraces(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deaf.Close() })
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.TraceEndpoint = "http://" + deaf.Addr().String() }})
	d := s.Deploy(t, "deaf", apptest.Handler(`return 1`))
	for range 5 {
		if e := d.Run(t, `{}`); e.Status != "completed" {
			t.Errorf("a run is %s: %s", e.Status, e.ErrorMessage)
		}
	}
	text := string(s.Anonymous().Do(t, "GET", "/metrics", nil).Body)
	if !strings.Contains(text, "flowwd_trace_spans_sent_total 0\n") || strings.Contains(text, "flowwd_trace_spans_total 0\n") {
		t.Error("the measurements do not say that spans are recorded and not sent")
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.Stop(t)
	}()
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Fatal("the server does not stop")
	}
}
