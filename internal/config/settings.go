package config

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Data says where flowwd keeps what it must not lose.
type Data struct {
	DataDir string `name:"data-dir" env:"FLOWW_DATA_DIR" default:".data" placeholder:"DIR" group:"Data" help:"Folder that holds the database and the generated keys; made when missing."`

	DatabaseURL string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" group:"Data" secret:"" help:"Address of a PostgreSQL database (14 or newer) that takes the place of the SQLite file, such as postgres://user:password@host/name; several servers may share it. A flag can be read by other users of the machine: prefer the variable or its file."`
}

// Shared reports whether the database is one that several servers can use.
func (d Data) Shared() bool { return d.DatabaseURL != "" }

// Settings is all that serve can be told.
type Settings struct {
	Data

	Listen    string `name:"listen" env:"FLOWW_LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" group:"HTTP" help:"Address to listen on. Port 0 takes a free one."`
	PublicURL string `name:"public-url" env:"PUBLIC_API_URL" placeholder:"URL" group:"HTTP" help:"Address at which senders of webhooks reach this server; made of the listen address when unset."`

	WebhookLimit    Size `name:"webhook-limit" env:"FLOWW_WEBHOOK_LIMIT" default:"25MiB" min:"1KiB" max:"1GiB" placeholder:"SIZE" group:"HTTP" help:"Largest body of a webhook request."`
	DeploymentLimit Size `name:"deployment-limit" env:"FLOWW_DEPLOYMENT_LIMIT" default:"32MiB" min:"1KiB" max:"1GiB" placeholder:"SIZE" group:"HTTP" help:"Largest body of a deployment request."`

	Runners          int           `name:"runners" env:"FLOWW_RUNNERS" default:"32" min:"1" max:"1024" placeholder:"N" group:"Runs" help:"Most runs at the same time, each in a process of its own."`
	OrganizationRuns int           `name:"organization-runs" env:"FLOWW_ORGANIZATION_RUNS" default:"0" min:"0" max:"1024" placeholder:"N" group:"Runs" help:"Most runs of one organization at the same time; 0 sets no limit of its own."`
	RunTimeout       time.Duration `name:"run-timeout" env:"FLOWW_RUN_TIMEOUT" default:"60s" min:"1s" max:"900s" placeholder:"TIME" group:"Runs" help:"Time that a run may take when its trigger sets none."`
	RunMemory        Size          `name:"run-memory" env:"FLOWW_RUN_MEMORY" default:"128MiB" min:"16MiB" max:"2GiB" placeholder:"SIZE" group:"Runs" help:"Memory that the code of a run may allocate when its trigger sets none."`
	RunMemoryMax     Size          `name:"run-memory-max" env:"FLOWW_RUN_MEMORY_MAX" default:"512MiB" min:"16MiB" max:"16GiB" placeholder:"SIZE" group:"Runs" help:"Most memory that a trigger may ask for; at least what the others get."`
	InsecureRunner   bool          `name:"insecure-runner" env:"FLOWW_INSECURE_RUNNER" group:"Runs" help:"Run code without the sandbox where the kernel cannot give it. For development with your own code only."`

	FetchAllow string `name:"fetch-allow" env:"FLOWW_FETCH_ALLOW" placeholder:"LIST" group:"Runs" help:"Networks, addresses and names that fetch in workflows may reach although they are not public, with commas, each with or without a port: 10.0.0.0/8,intranet.example:443."`
	FetchDeny  string `name:"fetch-deny" env:"FLOWW_FETCH_DENY" placeholder:"LIST" group:"Runs" help:"What fetch in workflows must not reach, in the same form; it counts before what is allowed."`

	RetentionDays int           `name:"retention-days" env:"FLOWW_RETENTION_DAYS" default:"30" min:"1" max:"3650" placeholder:"DAYS" group:"Operation" help:"Days that ended runs are kept with their events and logs."`
	StopTimeout   time.Duration `name:"stop-timeout" env:"FLOWW_STOP_TIMEOUT" default:"30s" min:"1s" max:"900s" placeholder:"TIME" group:"Operation" help:"Time that runs get to end when the server stops; those left are run again after the next start."`
	MetricsToken  string        `name:"metrics-token" env:"FLOWW_METRICS_TOKEN" placeholder:"TOKEN" group:"Operation" secret:"" help:"Bearer token that opens /metrics, at least 16 characters; generated when unset. A flag can be read by other users of the machine: prefer the variable or its file."`
	DebugListen   string        `name:"debug-listen" env:"FLOWW_DEBUG_LISTEN" placeholder:"HOST:PORT" group:"Operation" help:"Address of this machine itself, such as 127.0.0.1:6060, at which anybody on it gets profiles (pprof) and figures of the process; none when unset."`
	LogLevel      LogLevel      `name:"log-level" env:"LOG_LEVEL" default:"info" placeholder:"LEVEL" group:"Operation" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat     LogFormat     `name:"log-format" env:"LOG_FORMAT" default:"text" placeholder:"FORMAT" group:"Operation" help:"Form of the log on standard error: text or json."`

	Containers
	Login
	Abuse
	Reach
	Realtime
	Images
	Traces
}

// Remote is the server that a command is a client of.
type Remote struct {
	Server string `name:"server" env:"FLOWW_BACKEND_URL" default:"http://127.0.0.1:8080" placeholder:"URL" group:"Client" help:"Server to talk to."`
}

// Client is how the commands that are clients of a server reach it. Its
// variables are those of the published command line.
type Client struct {
	Remote
	Token     string `name:"token" env:"FLOWW_TOKEN" placeholder:"KEY" group:"Client" secret:"" help:"API key, as 'flowwd apikey create' prints it; without one, the login that 'flowwd login' made is used. A flag can be read by other users of the machine: prefer the variable or its file."`
	Namespace string `name:"namespace" env:"FLOWW_NAMESPACE" placeholder:"ID" group:"Client" help:"Namespace for workflows that are made; needed when the API key sees several."`
}

// Check returns what is wrong with the settings beyond what their tags say, one
// problem each.
func (s *Settings) Check() []Problem {
	var problems []Problem
	add := func(name, format string, args ...any) {
		problems = append(problems, Problem{Setting: name, Text: fmt.Sprintf(format, args...)})
	}
	if s.DataDir == "" {
		add("FLOWW_DATA_DIR (--data-dir)", "it is empty; give a folder")
	}
	if text := checkDatabase(s.DatabaseURL); text != "" {
		add("DATABASE_URL (--database-url)", "%s", text)
	}
	checkListen(add, "FLOWW_LISTEN (--listen)", s.Listen)
	s.checkDebug(add)
	if s.PublicURL != "" {
		if text := checkURL(s.PublicURL); text != "" {
			add("PUBLIC_API_URL (--public-url)", "%s", text)
		}
	}
	s.checkContainers(add)
	s.checkLogin(add)
	s.checkReach(add)
	s.checkRealtime(add)
	s.checkImages(add)
	s.checkTraces(add)
	if s.MetricsToken != "" && (len(s.MetricsToken) < minToken || strings.ContainsFunc(s.MetricsToken, notInToken)) {
		add("FLOWW_METRICS_TOKEN (--metrics-token)", "it must have at least %d characters, all of them visible ASCII", minToken)
	}
	return problems
}

// Check returns what is wrong with the address.
func (r *Remote) Check() []Problem {
	if text := checkURL(r.Server); text != "" {
		return []Problem{{Setting: "FLOWW_BACKEND_URL (--server)", Text: text}}
	}
	return nil
}

// BaseURL is the address under which the outside reaches a server that listens
// on addr, without a slash at its end.
func (s *Settings) BaseURL(addr net.Addr) string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	if len(s.Domains) > 0 {
		return "https://" + s.Domains[0]
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Retention is how long ended runs are kept.
func (s *Settings) Retention() time.Duration {
	return time.Duration(s.RetentionDays) * 24 * time.Hour
}

// MaxRunMemory is the most that a trigger may ask for, in bytes.
func (s *Settings) MaxRunMemory() int64 {
	return int64(max(s.RunMemory, s.RunMemoryMax))
}

// OrganizationGrace is how long a deleted organization can be restored.
func (s *Settings) OrganizationGrace() time.Duration {
	return time.Duration(s.GraceDays) * 24 * time.Hour
}

// AuditRetention is how long the audit log is kept.
func (s *Settings) AuditRetention() time.Duration {
	return time.Duration(s.AuditDays) * 24 * time.Hour
}

// minToken is the least length of a token that somebody chose.
const minToken = 16

func notInToken(r rune) bool { return r <= ' ' || r > '~' }

// checkDatabase says what is wrong with the address of a database, without
// repeating it, for it holds a password; empty when nothing is.
func checkDatabase(text string) string {
	if text == "" || strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		return ""
	}
	return "it is no address of a PostgreSQL database; give one like postgres://user:password@host/name, or leave it out for SQLite"
}

// checkURL says what is wrong with the base address of a server; empty when
// nothing is.
func checkURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("%q is no address of a server; give one like https://flows.example.com", text)
	case u.User != nil:
		return "the address holds a name or password; leave them out"
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Sprintf("%q has a query or a fragment; leave them out", text)
	}
	return ""
}
