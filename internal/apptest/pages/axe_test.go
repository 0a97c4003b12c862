//go:build external

package pages

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

// axe is axe-core as scripts/setup installs it.
var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("../../../.tools/node_modules/axe-core/axe.min.js")
	return string(text), err
})

// violations has axe look at the page for what keeps people out, and returns what
// is serious.
const violations = `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations
	.filter((v) => v.impact === "serious" || v.impact === "critical")
	.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + n.html.slice(0, 200)).join("; "))))`

// isAccessible fails the test where the page keeps people out, as it is shown now.
// What the debugger evaluates is not under the page's policy.
func (p *person) isAccessible(name string) {
	p.t.Helper()
	script, err := axe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.Evaluate[chromedp.Void](script + "; void 0"))
	var found []string
	text := get(p, chromedp.Evaluate[string](violations, chromedp.EvalAwaitPromise))
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		p.t.Fatal(fmt.Errorf("axe answered %.100q: %w", text, err))
	}
	if len(found) > 0 {
		p.t.Errorf("%s keeps people out:\n%s", name, strings.Join(found, "\n"))
	}
}
