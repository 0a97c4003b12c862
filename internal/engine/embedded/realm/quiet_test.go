package realm_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
)

// top is a script with a top level and the body of a handler.
func top(level, body string) string { return level + "\n" + handler(body) }

// again runs a program several times, each with its result.
func again(t *testing.T, m *realm.Machine, p *realm.Program, c realm.Call) (results []string, logs []record) {
	t.Helper()
	for range 3 {
		var r record
		value, err := m.Run(p, c, &r)
		if err != nil {
			t.Fatalf("run: %v", err)
		}
		results, logs = append(results, string(value)), append(logs, r)
		if err := m.Rest(p); err != nil {
			t.Fatal(err)
		}
	}
	return results, logs
}

// Whether its top level runs once or each time, a run sees nothing of others.
func TestRunsBeginAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ level, body, want string }{
		{`let n = 0`, `return ++n`, `1`},
		{`const m = new Map([["a", []]])`, `m.get("a").push(1); return m.get("a").length`, `1`},
		{`let n = 0; Promise.resolve().then(() => n = 5)`, `return n++`, `5`},
		{`Object.prototype.shared = 1`, `const was = {}.shared; Object.prototype.shared = 2; return was`, `1`},
		{`const p = Promise.reject(new Error("x")); p.catch(() => {})`, `return p.catch(() => 6)`, `6`},
		{`let fired = 0; setTimeout(() => { fired++ }, 0)`, `await new Promise((r) => setTimeout(r, 1)); return fired`, `1`},
		{``, `return [Date.name, Date.length, Date.now.name, Date.now.length, /native code/.test(Date.toString()), new Date(0) instanceof Date, typeof Date()]`,
			`["Date",7,"now",0,true,true,"string"]`},
		{`class Day extends Date {}`, `const d = new Day(5); return [d instanceof Day, d.getTime(), new Date(2026, 0).getFullYear()]`, `[true,5,2026]`},
	} {
		m, load := machine(t)
		results, _ := again(t, m, load(top(c.level, c.body)), call())
		for i, got := range results {
			if got != c.want {
				t.Errorf("%s; %s: run %d returned %s, want %s", c.level, c.body, i+1, got, c.want)
			}
		}
	}
}

func TestTopLevelsThatAskRunEachTime(t *testing.T) {
	t.Parallel()
	for _, level := range []string{
		`const x = Math.random()`, `const x = (0, Math.random)()`, `const x = crypto.randomUUID()`, `const x = crypto.getRandomValues(new Uint8Array(8)).join()`,
		`let x; Promise.resolve().then(() => x = Math.random())`, `const x = performance.now()`, ``,
	} {
		body := `return x`
		if level == "" {
			body = `return Math.random()`
		}
		m, load := machine(t)
		results, _ := again(t, m, load(top(level, body)), call())
		if results[0] == results[1] || results[1] == results[2] {
			t.Errorf("%s: the runs returned %s", level, results)
		}
	}

	m, load := machine(t)
	_, logs := again(t, m, load(top(`console.log("begins")`, ``)), call())
	for i, r := range logs {
		if len(r.lines) != 1 || r.lines[0] != "log begins" {
			t.Errorf("run %d logged %q", i+1, r.lines)
		}
	}
}

// A top level that reads the clock, however it comes by it, reads it for each run.
func TestClockOfTheTopLevel(t *testing.T) {
	t.Parallel()
	for _, read := range []string{
		`Date.now()`, `new Date().getTime()`, `+new (class extends Date {})()`, `Reflect.construct(Date, []).getTime()`,
		`(({ now }) => now())(Date)`, `[0].map(Date.now)[0]`, `+new (Object.getPrototypeOf(new Date(0)).constructor)()`, `new (Date.bind(null))().getTime()`,
	} {
		m, load := machine(t)
		p := load(top(`const at = `+read, `return at`))
		for i := range 3 {
			before := time.Now().UnixMilli()
			value, err := m.Run(p, call(), &record{})
			if err != nil {
				t.Fatalf("%s: %v", read, err)
			}
			if at, err := strconv.ParseInt(string(value), 10, 64); err != nil || at < before {
				t.Errorf("%s: run %d, which began at %d, has the time %s", read, i+1, before, value)
			}
			for time.Now().UnixMilli() <= before {
				// The next run has another time.
			}
			if err := m.Rest(p); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What a top level took counts for every run.
func TestMemoryOfTheTopLevel(t *testing.T) {
	t.Parallel()
	const limit = 16 << 20
	for _, c := range []struct {
		level, body string
		fits        bool
	}{
		{`const held = new Uint8Array(2e6)`, `return new Uint8Array(12e6).length + held.length`, true},
		{`const held = new Uint8Array(2e6)`, `return new Uint8Array(15e6).length + held.length`, false},
		{`const held = new Uint8Array(6e6)`, `return new Uint8Array(8e6).length + held.length`, true}, // too much to keep
		{`const held = new Uint8Array(6e6)`, `return new Uint8Array(11e6).length + held.length`, false},
	} {
		m, load := machine(t)
		p := load(top(c.level, c.body))
		for i := range 3 {
			asked := call()
			asked.Memory = limit
			_, err := m.Run(p, asked, &record{})
			failure, failed := errors.AsType[*engine.Failure](err)
			if err == nil != c.fits || failed && failure.Reason != engine.OutOfMemory {
				t.Errorf("%s; %s: run %d: %v", c.level, c.body, i+1, err)
			}
			if err := m.Rest(p); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTopLevelsThatThrow(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load(top(`null.x`, `return 1`))
	for i := range 3 {
		_, err := m.Run(p, call(), &record{})
		if failure, ok := errors.AsType[*engine.Failure](err); !ok || failure.Reason != engine.Threw {
			t.Errorf("run %d: %v", i+1, err)
		}
		if err := m.Rest(p); err != nil {
			t.Fatal(err)
		}
	}
}
