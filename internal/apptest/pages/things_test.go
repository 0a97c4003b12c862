//go:build external && screenshots

package pages

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

const (
	// invoices is a workflow as people have them.
	invoices = `import { Builtin, Secret } from "floww";
import { z } from "zod";

const builtin = new Builtin();
const stripe = new Secret("stripe", z.object({ key: z.string() }));

interface Invoice {
  number: number;
  customer: string;
  total: number;
}

async function send(invoice: Invoice) {
  console.log("invoice", invoice.number, "for", invoice.customer);
` + checks + `  return { sent: true };
}

builtin.triggers.onWebhook({
  path: "in",
  handler: async (_ctx, event) => send(event.body),
});

` + otherTriggers
	// checks and otherTriggers are what the code before has not.
	checks = `  if (invoice.total < 0) {
    throw new Error("the total of an invoice can't be negative: " + invoice.total);
  }
  console.log("rendered in 12 ms");
`
	otherTriggers = `builtin.triggers.onCron({
  expression: "0 7 * * mon-fri",
  timezone: "Europe/Amsterdam",
  handler: async () => console.log("no invoice is overdue"),
});

builtin.triggers.onManual({
  name: "Send one again",
  description: "Makes the PDF anew and mails it",
  inputSchema: {
    type: "object",
    required: ["number", "customer"],
    properties: {
      number: { type: "integer", minimum: 1000, description: "What is printed on it" },
      customer: { type: "string", enum: ["Ann", "Bob", "Carla"] },
      total: { type: "number", default: 12 },
      urgent: { type: "boolean", description: "Before all others" },
    },
  },
  handler: async (_ctx, event) => send(event.input_data as Invoice),
});
`
	// patiently runs until it is told to end, one run at a time.
	patiently = `import { Builtin, KVStore } from "floww";

const builtin = new Builtin(), store = new KVStore();
builtin.triggers.onWebhook({ path: "in", concurrency: 1, timeout: 600, retry: { attempts: 3, delay: 600 }, handler: async (_ctx: any, event: any) => {
  if (event.body.fail) throw new Error("the warehouse does not answer");
  await store.increment("told", "upTo", 0);
  while (!(await store.get("told", "upTo"))) await new Promise((r) => setTimeout(r, 100));
} });
`
)

// things are what a server is filled with.
type things struct {
	invoices *apptest.Deployed
	// failed is a run, folder one with a workflow and a folder in it, and asked
	// somebody who may be asked about, as pages name them.
	failed, folder, asked string
}

// withThings fills a server: workflows that ran, one of which failed and one that
// still runs, folders, values, secrets and people.
func withThings(t *testing.T, s *apptest.Server) things {
	t.Helper()
	ada := apptest.NewBrowser(t, s.URL)
	ada.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	own := []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin"}
	asked := func(status int, method, path string, body any) map[string]any {
		t.Helper()
		return ada.JSON(t, status, method, path, body, own...)
	}
	folder := func(name, parent string) string {
		t.Helper()
		body := map[string]string{"name": name, "namespace_id": s.Namespace(t)}
		if parent != "" {
			body["parent_folder_id"] = parent
		}
		return asked(http.StatusOK, "POST", "/api/folders", body)["id"].(string)
	}
	x := things{folder: folder("Billing", "")}
	folder("Archive", x.folder)
	folder("Marketing", "")
	ada.Account(t, "bob@example.com", "password of bob")
	for _, login := range []string{"grace.hopper@example.com", "carla@example.com"} {
		asked(http.StatusCreated, "POST", "/api/users", map[string]string{"email": login})
	}
	for i, name := range []string{"Ann", "Bob", "Carla"} {
		asked(http.StatusOK, "PUT", fmt.Sprintf("/api/kv/default/customers/c%d", i), map[string]any{"value": map[string]any{"name": name, "orders": i + 3}})
	}
	asked(http.StatusCreated, "POST", "/api/secrets", map[string]string{"namespaceId": s.Namespace(t), "provider": "stripe", "name": "default", "value": `{"key": "a secret"}`})
	for _, name := range []string{"newsletter", "uptime of the shop", "sync customers"} {
		d := s.Deploy(t, name, apptest.Handler(`console.log("nothing new"); return {changed: 0}`))
		for range 3 {
			d.Run(t, `{}`)
		}
	}
	stock := s.Deploy(t, "count the stock", patiently)
	stock.Send(t, `{"fail": true}`)
	x.invoices = s.Deploy(t, "send invoices", strings.NewReplacer(checks, "", otherTriggers, "").Replace(invoices))
	x.invoices.Redeploy(t, invoices)
	asked(http.StatusOK, "PATCH", "/api/workflows/"+x.invoices.WorkflowID, map[string]any{"parentFolderId": x.folder})
	robot := s.Account(t, "viewer")
	x.asked = "service_account:" + robot
	asked(http.StatusOK, "POST", "/api/access/grant", map[string]string{
		"principal_type": "service_account", "principal_id": robot, "resource_type": "folder", "resource_id": x.folder, "role": "user",
	})
	for i, customer := range []string{"Ann", "Bob", "Carla"} {
		x.invoices.Run(t, fmt.Sprintf(`{"number": %d, "customer": %q, "total": 12}`, 1001+i, customer))
	}
	x.failed = x.invoices.Run(t, `{"number": 1004, "customer": "Dora", "total": -5}`).ID
	for range 2 {
		stock.Send(t, `{}`)
	}
	// What runs until it is told to end is told so before the server stops.
	t.Cleanup(func() { tell(t, s, 1) })
	apptest.Until(t, patience, "one run that waits for another", func() bool {
		r := ada.Get(t, "/admin/jobs")
		return strings.Count(string(r.Body), "count the stock") >= 3
	})
	return x
}
