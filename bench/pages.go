package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/client"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/route"
)

// What is behind the pages that are measured.
const (
	pageWorkflows  = 10_000
	pageExecutions = 1_000_000
	// pageBusiest is how many of the executions are of one workflow.
	pageBusiest = 100_000
	// pageBound is what no page may take.
	pageBound = 100 * time.Millisecond
	// pageRounds is how often each page is asked for.
	pageRounds = 7
)

// measurePages measures how long the server takes for each page for people, with
// much behind it, and how much script comes with the first one.
func measurePages(ctx context.Context, o options, in installation, work string, r *report) error {
	if in.servers > 1 {
		return nil // each would take as long as one alone
	}
	o.env = append(o.env, adminEnv()...)
	backup, err := crowdBackup(ctx, o, work, seldom, &crowd{workflows: pageWorkflows, executions: pageExecutions, busiest: pageBusiest})
	if err != nil {
		return err
	}
	defer os.Remove(backup)
	dir := filepath.Join(work, "pages-0")
	s, restored, err := startRestored(ctx, o, in, backup, dir)
	if err != nil {
		return err
	}
	r.add("restore of 10,000 workflows and 1 M executions", "%.0f s", restored.Seconds())
	r.add("start to ready with 10,000 workflows and 1 M executions", "%s", ms(s.started))
	pages, err := pagesOf(ctx, filepath.Join(work, "routes"))
	if err != nil {
		return errors.Join(err, s.stop())
	}
	w, err := s.walker(ctx, pages)
	if err == nil {
		err = errors.Join(w.measure(ctx, r), s.measureLists(ctx, w.busy, r))
	}
	return errors.Join(err, s.stop(), os.RemoveAll(dir))
}

// startRestored starts a server on what a backup holds, and returns how long it
// took to restore it.
func startRestored(ctx context.Context, o options, in installation, backup, dir string) (*server, time.Duration, error) {
	database, err := in.database(ctx)
	if err != nil {
		return nil, 0, err
	}
	begin := time.Now()
	if out, err := exec.CommandContext(ctx, o.binary, "restore", backup, "--data-dir", dir, "--database-url", database).CombinedOutput(); err != nil {
		return nil, 0, fmt.Errorf("restore: %w: %s", err, out)
	}
	restored := time.Since(begin)
	s, err := startServer(ctx, o, dir, database)
	return s, restored, err
}

// pagesOf lists the routes of pages that whoever is logged in can open.
func pagesOf(ctx context.Context, dir string) (pages []route.Info, err error) {
	settings, err := config.Defaults()
	if err != nil {
		return nil, err
	}
	settings.DataDir = dir
	s, err := app.Open(ctx, app.Config{Settings: settings, Log: slog.New(slog.DiscardHandler), Now: time.Now, Version: "bench"})
	if err != nil {
		return nil, err
	}
	for _, info := range s.Routes() {
		if info.Page && info.Method == http.MethodGet && !info.Policy.IsPublic() {
			pages = append(pages, info)
		}
	}
	return pages, s.Close()
}

// logIn returns a client that is logged in as the administrator, and follows no
// redirects.
func (s *server) logIn(ctx context.Context) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return browser, s.form(ctx, browser, "/auth/login", url.Values{"username": {adminEmail}, "password": {adminPassword}}, nil)
}

// seldom is a schedule that has no time while something is measured.
const seldom = "@yearly"

// crowdBackup makes an installation by hand and then a backup of one that has
// the same many times. One workflow in ten has the given schedule.
func crowdBackup(ctx context.Context, o options, work, schedule string, c *crowd) (string, error) {
	dir := filepath.Join(work, "template")
	s, err := startServer(ctx, o, dir, "")
	if err != nil {
		return "", err
	}
	if err := s.furnish(ctx, schedule); err != nil {
		return "", errors.Join(err, s.stop())
	}
	if err := s.stop(); err != nil {
		return "", err
	}
	small, large := filepath.Join(work, "small.backup"), filepath.Join(work, "large.backup")
	if out, err := exec.CommandContext(ctx, o.binary, "backup", small, "--data-dir", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("backup: %w: %s", err, out)
	}
	c.until, c.over = time.Now().Add(-time.Minute), 27*24*time.Hour // less than what is kept
	err = c.copyBackup(ctx, small, large)
	return large, errors.Join(err, os.Remove(small), os.RemoveAll(dir))
}

// furnished is how many workflows are made by hand, a half of them in folders.
const furnished = 10

// furnish makes workflows of every sort, with runs that end in every way.
func (s *server) furnish(ctx context.Context, schedule string) error {
	namespaces, err := s.api.Namespaces(ctx)
	if err != nil {
		return err
	}
	namespace := namespaces[0].ID
	for i := range 20 {
		if _, err := s.api.PutSecret(ctx, fmt.Sprintf("service-%d", i), "default:token", "value"); err != nil {
			return err
		}
	}
	for i := range furnished {
		if i > 0 {
			schedule = seldom
		}
		if err := s.furnishWorkflow(ctx, namespace, schedule, i); err != nil {
			return fmt.Errorf("workflow %d: %w", i, err)
		}
	}
	return fleet{s}.drained(ctx)
}

func (s *server) furnishWorkflow(ctx context.Context, namespace, schedule string, i int) error {
	w, err := s.api.CreateWorkflow(ctx, client.NewWorkflow{Name: fmt.Sprintf("workflow %c", 'a'+i), NamespaceID: namespace})
	if err != nil {
		return err
	}
	if i%2 == 1 {
		var folder struct{ ID string }
		if err := s.call(ctx, http.MethodPost, "/api/folders", map[string]any{"name": fmt.Sprintf("folder %d", i), "namespaceId": namespace}, &folder); err != nil {
			return err
		}
		if err := s.call(ctx, http.MethodPatch, "/api/workflows/"+w.ID, map[string]any{"parentFolderId": folder.ID}, nil); err != nil {
			return err
		}
	}
	var d client.Deployment
	for version := range 3 {
		d, err = s.api.Deploy(ctx, client.NewDeployment{WorkflowID: w.ID, Code: client.Code{Files: map[string]string{"main.ts": furnishedCode(schedule, i, version)}, Entrypoint: "main.ts"}})
		if err != nil {
			return err
		}
	}
	for n := range 8 {
		if _, err := s.postBody(ctx, d.Webhooks[0].Path, fmt.Sprintf(`{"n":%d}`, n)); err != nil {
			return err
		}
	}
	return nil
}

// furnishedCode asks for two secrets, has a trigger of each sort, and fails for
// one event in eight.
func furnishedCode(schedule string, i, version int) string {
	return fmt.Sprintf(`import { Builtin, Secret } from "floww";
const builtin = new Builtin();
const schema = { shape: { token: {} as any }, parse: (v: unknown) => v as { token: string } };
const first = new Secret("service-%d", schema), second = new Secret("service-%d", schema);
builtin.triggers.onWebhook<any>({ path: "in", handler: (ctx, event) => {
  for (let i = 0; i < 20; i++) console.log("version %d: line " + i + " of event " + event.body.n);
  if (event.body.n === 7) throw new Error("the seventh fails");
  return { n: event.body.n };
} });
builtin.triggers.onManual({ name: "by hand", inputSchema: { type: "object", properties: { name: { type: "string" } } }, handler: () => "done" });
builtin.triggers.onCron({ expression: %q, handler: () => "done" });
`, i, i+10, version, schedule)
}

// get reads the whole answer to a GET.
func get(ctx context.Context, c *http.Client, address string) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "text/html")
	res, err := c.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}
