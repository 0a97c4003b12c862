package apptest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// A trigger has the memory that it asks for, more or less than the others get,
// and a run in the process of another one has no more than its own.
func TestMemoryOfATrigger(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	const take = `
		const kept: string[] = [];
		for (let i = 0; i < event.body.megabytes; i++) kept.push(String.fromCharCode(97 + i % 26).repeat(1 << 20));
		return kept.length;`
	with := func(options string) string {
		return strings.Replace(apptest.Handler(take), `path: "in",`, `path: "in", timeout: 60, `+options, 1)
	}
	deployed := map[string]*apptest.Deployed{}
	for name, options := range map[string]string{"wide": "memory: 400,", "narrow": "memory: 24,", "default": ""} {
		deployed[name] = s.Deploy(t, name, with(options))
	}
	check := func(name string, megabytes int, want string) {
		t.Helper()
		e := deployed[name].Run(t, fmt.Sprintf(`{"megabytes":%d}`, megabytes))
		if e.Status != want || want == "failed" && !strings.Contains(e.ErrorMessage, "memory") {
			t.Errorf("a run of %s that takes %d MB is %s (%q), want %s", name, megabytes, e.Status, e.ErrorMessage, want)
		}
	}
	check("default", 200, "failed")
	check("wide", 200, "completed")
	check("default", 200, "failed")
	check("narrow", 8, "completed")
	check("narrow", 40, "failed")
	check("default", 40, "completed")
	deployed["wide"].Redeploy(t, with(""))
	check("wide", 200, "failed")
}
