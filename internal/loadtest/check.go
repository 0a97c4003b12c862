package loadtest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// outcome is what a run of the load's code returns.
type outcome struct{ N, Size, Version int }

// Check looks at a server that came back, while there is no load: the active
// deployment is whole and newer than everything that was acknowledged, its
// addresses take events that its own code runs, and what had ended before is
// as it was.
func (l *Load) Check(t testing.TB, c *apptest.Client) {
	t.Helper()
	l.lives++
	version := l.deployments.check(t, l, c)
	random := l.random(1 << 15)
	for _, name := range []string{"in", only(version)} {
		l.events.mu.Lock()
		e := l.events.make(random)
		e.key = "" // a key counts for one address, and load is sent to another
		l.events.mu.Unlock()
		l.events.send(t, c, l.address(name), e, func() bool { return false })
		if e.id == "" {
			t.Fatalf("address %s takes no event after the start", name)
		}
		run := c.Ended(t, e.id)
		var got outcome
		if run.Status != "completed" || json.Unmarshal(run.Result, &got) != nil || got != (outcome{e.n, e.size, version}) {
			t.Errorf("event %d at %s, with version %d active, is %s with %s: %s", e.n, name, version, run.Status, run.Result, run.ErrorMessage)
		}
	}
	if before := version - 1; before > 0 {
		if r := c.Anonymous().Do(t, "POST", l.address(only(before)), `{}`); r.Status != http.StatusNotFound {
			t.Errorf("the address of version %d answers %s while %d is active, want 404", before, r, version)
		}
	}
	l.endings.note(t, readPage(t, c, l.workflowID, "", 0).Executions)
}
