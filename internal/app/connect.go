package app

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/api"
	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/kv"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/provider/builtin"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/web"
	"github.com/usefloww/flowwd/internal/web/admin"
	"github.com/usefloww/flowwd/internal/web/dashboard"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// maxRunTimeout is the longest that a trigger may ask for.
	maxRunTimeout = 15 * time.Minute
	// measureTimeout bounds a measurement that asks the database.
	measureTimeout = time.Second
)

// connect makes all parts and says in which order they start.
func (s *Server) connect(ctx context.Context) error {
	settings, now := s.config.Settings, s.config.Now
	if err := s.addTracer(); err != nil {
		return err
	}
	if err := s.addEngine(); err != nil {
		return err
	}
	tenants := s.tenants()
	if _, err := tenants.EnsureDefault(ctx); err != nil {
		return err
	}
	catalogue := provider.Catalogue{builtin.Type: builtin.Provider{}}
	routes := trigger.NewRoutes(s.store)
	tenants.Changed = routes.ChangedAll
	live, err := s.addRealtime()
	if err != nil {
		return err
	}
	keyValues := &kv.Service{Store: s.store, Now: now}
	runTokens := s.runTokens()
	secrets := &secret.Service{Store: s.store, Ring: s.keyring, IDs: s.ids, Now: now}
	asks := &api.Asks{KV: keyValues, Tokens: runTokens, Log: s.log}
	asks.Limit = func(c *execution.Claim) time.Duration { return s.executions.LimitsOf(c).Timeout }
	s.executions = execution.New(execution.Config{
		Store: s.store, Engine: s.engine, Name: hostname(), IDs: s.ids, Now: now, Log: s.log,
		Limits: s.limits(), MaxTimeout: maxRunTimeout, MaxMemory: settings.MaxRunMemory(), Retention: cmp.Or(s.config.Retention, settings.Retention()), Metrics: s.metrics, Tracer: s.tracer, Listener: live.feed, Asked: asks.Answer, Secrets: secrets,
	})
	planner := &trigger.Planner{Catalogue: catalogue, IDs: s.ids, Now: now}
	development := s.development(live, planner, routes)
	deployments := deploy.New(deploy.Config{
		Store: s.store, Workflows: s.store, Existing: s.store, Engine: s.engine,
		Secrets: secrets,
		Planner: planner,
		IDs:     s.ids, Now: now, Changed: routes.Changed, DefaultImage: s.defaultImage(), MaxTimeout: maxRunTimeout, MaxMemory: settings.MaxRunMemory(), MaxCompiling: runtime.GOMAXPROCS(0),
	})
	way := s.way()
	post, err := s.mailer()
	if err != nil {
		return err
	}
	alerts := s.alerts(post, development)
	users := &identity.Service{
		Keys: s.store, Users: s.store, Way: way, Sessions: s.sessions(way), Fresh: tenants.Fresh, AdminIDs: words(settings.AdminUserIDs),
		SingleOrganization: settings.SingleOrg, Devices: s.devices(), DeviceLogin: s.deviceLogin(), Runs: runTokens, IDs: s.ids, Now: now,
	}
	workflows := &workflow.Service{Store: s.store, IDs: s.ids, Now: now, Changed: routes.Changed}
	live.ask(users, workflows)
	images, made, err := s.addImages(users)
	if err != nil {
		return err
	}
	passwords := s.passwords(way, s.store, tenants.Fresh)
	invitations := s.invitations(way, post)
	pages := s.pages(users, passwords, tenants)
	pages.Invitations = invitations
	folders := &workflow.Folders{Store: s.store, IDs: s.ids, Now: now}
	invoker := &trigger.Invoker{Store: s.store, Catalogue: catalogue, Executions: development, Events: s.executions, Now: now}
	permissions := &access.Service{Store: s.store, IDs: s.ids, Now: now}
	board := dashboard.Deps{
		Access: permissions, Alerts: alerts,
		Frame: pages.Frame, Tenants: tenants, Folders: folders, Workflows: workflows, Deployments: deployments, Executions: s.executions, Triggers: invoker, PublicURL: s.URL, Now: now,
		Own: dashboard.Own{Organizations: tenants, Invitations: invitations, Accounts: users, Secrets: secrets, KeyValues: keyValues, ImageUsage: s.imageUsage, ImagesLimit: int64(settings.RegistryLimit)},
	}
	if live.node == nil {
		board.Centrifugo = func() string { return settings.Realtime.WebsocketURL(s.URL()) }
	}
	administration := s.administration(way)
	inForce, err := s.settings()
	if err != nil {
		return err
	}
	if s.router, err = s.newRouter(users, pages); err != nil {
		return err
	}
	err = api.Register(s.router, api.Deps{
		Tenants: tenants, Organizations: tenants, Invitations: invitations,
		Audit: s.store, Recorder: s.recorder, Administration: administration,
		Workflows:   workflows,
		Folders:     folders,
		Realtime:    s.forAPI(live),
		Images:      images,
		Runtimes:    made,
		Deployments: deployments,
		Executions:  s.executions,
		Sessions:    users.Sessions,
		Passwords:   accounts(passwords),
		Triggers:    invoker,
		Dev:         development,
		KV:          keyValues,
		Secrets:     secrets,
		Alerts:      alerts,
		Receiver:    &trigger.Receiver{Routes: routes, Catalogue: catalogue, Executions: development},
		Accounts:    users,
		Access:      permissions,
		Devices:     users.Devices, Login: users,
		Checks:    s.checks(),
		Metrics:   s.metrics.handler(),
		PublicURL: s.URL,
		Version:   s.config.Version, SingleOrganization: settings.SingleOrg, RunsImages: s.containers != nil,
		WebsocketURL: func() string { return settings.Realtime.WebsocketURL(s.URL()) },
		Logger:       s.log, Now: now,
		WebhookBody: int64(settings.WebhookLimit), DeploymentBody: int64(settings.DeploymentLimit),
	})
	if err == nil {
		err = web.Register(s.router, pages)
	}
	if err == nil {
		err = dashboard.Register(s.router, board)
	}
	if err == nil {
		err = admin.Register(s.router, admin.Deps{
			Frame: pages.Frame, Administration: administration, Audit: s.store, Recorder: s.recorder, Installation: func(ctx context.Context) admin.Installation { return s.installation(ctx, live) }, Realtime: s.forPages(live), Now: now,
			Records: s.store, Changes: admin.Changes{Workflows: workflows, Executions: s.executions, Keys: users, Runtimes: made, Organizations: tenants},
			Settings: inForce, MaxRun: maxRunTimeout,
		})
	}
	if err != nil {
		return fmt.Errorf("register the routes: %w", err)
	}
	s.measure()
	s.parts.add(part{name: "executions", share: 50, start: s.executions.Start, stop: s.executions.Stop})
	s.parts.add(part{name: "development sessions", share: 1, start: development.Start, stop: development.Stop})
	schedules := &trigger.Scheduler{Store: s.store, Catalogue: catalogue, Executions: development, Now: now, Log: s.log}
	s.parts.add(part{name: "schedules", share: 5, start: schedules.Start, stop: schedules.Stop})
	s.parts.add(part{name: "runtimes", share: 1, start: made.Start, stop: made.Stop})
	s.addFollower(routes, live, development)
	s.parts.add(s.httpPart())
	if s.certificates = s.addCertificates(); s.certificates != nil {
		// After the listeners, for the authority asks at once.
		s.parts.add(part{name: "certificates", share: 1, start: s.certificates.Start, stop: s.certificates.Stop})
	}
	s.parts.add(part{name: "failure notifications", share: 2, start: alerts.Start, stop: alerts.Stop})
	s.parts.add(s.firstAccount(passwords))
	return nil
}

func (s *Server) limits() engine.Limits {
	limits := engine.DefaultLimits()
	limits.Timeout = s.config.Settings.RunTimeout
	limits.Memory = int64(s.config.Settings.RunMemory)
	return limits
}

func (s *Server) operatorToken() string {
	if token := s.config.Settings.MetricsToken; token != "" {
		return token
	}
	return s.keys.MetricsToken
}

// checks are what /readyz asks.
func (s *Server) checks() []api.Check {
	checks := []api.Check{
		{Name: "database", Ask: s.store.Ping},
		{Name: "disk", Ask: s.checkWritable},
		{Name: "queue", Ask: func(ctx context.Context) error {
			_, err := s.executions.Depth(ctx)
			return err
		}},
		{Name: "children", Ask: func(ctx context.Context) error {
			if err := s.engine.Healthy(ctx); err != nil {
				return fault.Because(err, fault.Unavailable, "no process can be started that runs code")
			}
			return nil
		}},
	}
	if s.upstream != nil {
		checks = append(checks, api.Check{Name: "image registry", Minor: true, Ask: s.upstream.Healthy})
	}
	if s.defaultImage() != "" {
		checks = append(checks, api.Check{Name: "default runtime", Minor: true, Ask: s.hasDefault})
	}
	return checks
}

// measure adds the measurements that are read when they are asked for.
func (s *Server) measure() {
	s.metrics.gauge("flowwd_runs", "Runs under way.", func() float64 {
		running, _ := s.executions.Running()
		return float64(running)
	})
	s.metrics.gauge("flowwd_run_ends", "Runs that have ended, whose end the database has yet to take.", func() float64 {
		return float64(s.executions.Ending())
	})
	s.metrics.gauge("flowwd_run_slots", "Runs that can be under way at once.", func() float64 {
		_, slots := s.executions.Running()
		return float64(slots)
	})
	s.metrics.gauge("flowwd_queue_waiting", "Executions that wait to run; -1 when the database does not answer.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), measureTimeout)
		defer cancel()
		depth, err := s.executions.Depth(ctx)
		if err != nil {
			return -1
		}
		return float64(depth.Waiting)
	})
	s.metrics.gauge("flowwd_store_queued", "Units that wait for the database's writer.", func() float64 {
		return float64(s.store.Stats().Queued)
	})
	s.metrics.counter("flowwd_store_commits_total", "Transactions committed.", func() float64 {
		return float64(s.store.Stats().Commits)
	})
	s.metrics.counter("flowwd_store_units_total", "Units committed; several share a transaction.", func() float64 {
		return float64(s.store.Stats().Units)
	})
	s.metrics.counter("flowwd_store_refused_total", "Units and bodies that were not stored because the database or its disk was locked, full, gone or too slow; whoever asked was told to come again.", func() float64 {
		return float64(s.store.Stats().Refused)
	})
	s.metrics.gauge("flowwd_disk_free_bytes", "What is free on the disk of the data folder; -1 when that can't be told.", s.freeSpace)
	s.metrics.counter("flowwd_store_wait_seconds_total", "Time that units waited for the database's writer.", func() float64 {
		return s.store.Stats().Wait.Seconds()
	})
}
