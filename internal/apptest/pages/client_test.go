//go:build external

package pages

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/usefloww/flowwd/internal/apptest"
)

// connect opens a connection of the official client in the window, by one
// transport, and resolves when both channels are decided about. What it hears is in
// window.heard, and in window.runs by execution; whether it is back in window.back.
const connect = `new Promise((done, fail) => {
	const answers = {};
	const answered = (channel, answer) => {
		answers[channel] = answer;
		if (Object.keys(answers).length === 2) done(JSON.stringify(answers));
	};
	window.heard = [];
	window.runs = {};
	window.back = 0;
	window.client = new Centrifuge([{transport: %q, endpoint: %q}], {emulationEndpoint: location.origin + %q, minReconnectDelay: 20, maxReconnectDelay: 200});
	client.on("disconnected", (e) => fail(new Error("disconnected: " + e.code + " " + e.reason)));
	for (const channel of [%q, %q]) {
		const s = client.newSubscription(channel, {recoverable: true});
		s.on("subscribed", (e) => {
			window.back++;
			if (e.wasRecovering && !e.recovered) heard.push("lost");
			answered(channel, "open");
		});
		s.on("unsubscribed", (e) => answered(channel, e.code));
		s.on("publication", ({data}) => {
			heard.push(data.type.replace("workflow.execution.", "") + " " + (data.payload.result ?? ""));
			(runs[data.payload.execution_id] ??= []).push(heard.at(-1));
		});
		s.subscribe();
	}
	client.connect();
})`

// The official client in a browser speaks to the node by each of its transports,
// with the cookie of its reader: it is let in where the reader may look, refused
// elsewhere for good, and recovers what it missed while its line was cut: each
// event of each run once, those of one run in their order.
func TestBrowserClientByEachTransport(t *testing.T) {
	t.Parallel()
	s := withRuns(t)
	d := s.Deploy(t, "mine", apptest.Handler(`return event.body.n`))
	theirs := s.OtherTenant(t).Deploy(t, "theirs", apptest.Handler(`return 1`))
	f := newFollower(t, s, d)
	websocket := "ws" + strings.TrimPrefix(f.cable.URL, "http")
	for _, way := range []struct{ transport, endpoint, emulation string }{
		{"websocket", websocket + "/ws/connection/websocket", "/emulation"},
		{"websocket", websocket + "/connection/websocket", "/emulation"},
		{"http_stream", f.cable.URL + "/ws/connection/http_stream", "/ws/emulation"},
		{"sse", f.cable.URL + "/connection/sse", "/emulation"},
	} {
		mine, foreign := "workflow:"+d.WorkflowID, "workflow:"+theirs.WorkflowID
		var answers map[string]any
		text := get(f.person, chromedp.Evaluate[string](fmt.Sprintf(connect, way.transport, way.endpoint, way.emulation, mine, foreign), chromedp.EvalAwaitPromise))
		if err := json.Unmarshal([]byte(text), &answers); err != nil {
			t.Fatal(err)
		}
		if answers[mine] != "open" || answers[foreign] != 403.0 {
			t.Errorf("%s: the channels are answered %v", way.endpoint, answers)
		}
		want := map[string][]string{}
		run := func(n int) {
			e := d.Run(t, fmt.Sprintf(`{"n": %d}`, n))
			want[e.ID] = []string{"webhook.received ", "started ", fmt.Sprintf("completed %d", n)}
		}
		run(1)
		f.holds(`heard.includes("completed 1")`)
		f.cable.Cut()
		f.holds(`client.state === "connecting"`)
		run(2)
		f.cable.Mend()
		run(3)
		f.holds(`["completed 2", "completed 3"].every((end) => heard.includes(end))`)
		if got := get(f.person, chromedp.Evaluate[map[string][]string](`runs`)); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: heard %v, want %v", way.endpoint, got, want)
		}
		f.do(chromedp.Evaluate[chromedp.Void](`void client.removeAllListeners(), void client.disconnect()`))
	}
}

// holds waits until something is so in the window.
func (f *follower) holds(expression string) {
	f.t.Helper()
	get(f.person, chromedp.Evaluate[bool](`new Promise((done) => { const look = () => (`+expression+`) ? done(true) : setTimeout(look, 5); look(); })`, chromedp.EvalAwaitPromise))
}
