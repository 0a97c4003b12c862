package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// commandLine is a command line with all settings.
type commandLine struct {
	Settings
	Client
}

// parse reads settings as a command does, and returns every problem.
func parse(t *testing.T, environ []string, args ...string) (commandLine, error) {
	t.Helper()
	var got commandLine
	env := NewEnviron(environ)
	parser, err := kong.New(&got, kong.Resolvers(env))
	if err != nil {
		t.Fatal(err)
	}
	if err := env.CheckNames(parser.Model); err != nil {
		return got, err
	}
	if _, err := parser.Parse(args); err != nil {
		return got, err
	}
	if err := env.Err(); err != nil {
		return got, err
	}
	problems, err := CheckBounds(parser.Model.Flags)
	if err != nil {
		t.Fatal(err)
	}
	problems = append(problems, got.Settings.Check()...)
	problems = append(problems, got.Client.Check()...)
	if len(problems) > 0 {
		return got, Problems(problems)
	}
	return got, nil
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, err := parse(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		Data:   Data{DataDir: ".data"},
		Listen: "127.0.0.1:8080", WebhookLimit: 25 << 20, DeploymentLimit: 32 << 20,
		Runners: 32, RunTimeout: time.Minute, RunMemory: 128 << 20, RunMemoryMax: 512 << 20,
		RetentionDays: 30, StopTimeout: 30 * time.Second, LogFormat: LogText,
		Containers: Containers{
			Runtime: RuntimeEmbedded, DefaultImage: "floww-runtime", DockerConcurrency: 8, DockerMemory: 1 << 30, DockerTmp: 64 << 20, DockerCPUs: 1, DockerPids: 256, DockerSpare: 2,
			DockerStopAfter: 5 * time.Minute, DockerRemoveAfter: time.Hour,
		},
		Login: Login{
			AuthType: AuthPassword, Device: "auto", WorkOSURL: "https://api.workos.com", AdminUserIDs: []string{},
			SingleOrgName: "default", SingleOrgDisplayName: "Default Organization",
		},
		Abuse:    Abuse{TrustedProxies: []string{}, CORSOrigins: []string{}, RateLimit: 500, AuditDays: 365, GraceDays: 7},
		Reach:    Reach{Domains: []string{}, HTTPSListen: ":443", HTTPListen: ":80", ACMEDirectory: "https://acme-v02.api.letsencrypt.org/directory"},
		Realtime: Realtime{CentrifugoHost: "localhost", CentrifugoPort: 5001},
		Traces:   Traces{TraceProtocol: "http/protobuf", TraceService: "flowwd", TraceShare: 1},
		Images:   Images{RegistryLimit: 10 << 30, RegistryName: "floww"},
	}
	if diff := cmp.Diff(want, got.Settings); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if got.Retention() != 720*time.Hour {
		t.Errorf("retention is %v", got.Retention())
	}
}

func TestWhichSourceWins(t *testing.T) {
	t.Parallel()
	file := writeFile(t, " 7\n")
	tests := []struct {
		name    string
		environ []string
		args    []string
		want    int
	}{
		{"default", nil, nil, 32},
		{"variable", []string{"FLOWW_RUNNERS=5"}, nil, 5},
		{"file", []string{"FLOWW_RUNNERS_FILE=" + file}, nil, 7},
		{"file beats variable", []string{"FLOWW_RUNNERS=5", "FLOWW_RUNNERS_FILE=" + file}, nil, 7},
		{"flag beats file", []string{"FLOWW_RUNNERS=5", "FLOWW_RUNNERS_FILE=" + file}, []string{"--runners=9"}, 9},
		{"empty variables are unset", []string{"FLOWW_RUNNERS=", "FLOWW_RUNNERS_FILE="}, nil, 32},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, test.environ, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got.Runners != test.want {
				t.Errorf("got %d, want %d", got.Runners, test.want)
			}
		})
	}
}

func TestWrongValuesAreNamedWithWhatIsAllowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		environ []string
		args    []string
		want    []string
	}{
		{"not a number", []string{"FLOWW_RUNNERS=many"}, nil, []string{"FLOWW_RUNNERS: ", `"many"`}},
		{"too small", []string{"FLOWW_RUNNERS=0"}, nil, []string{"FLOWW_RUNNERS (--runners): 0 is not allowed; allowed: 1 to 1024"}},
		{"too large by flag", nil, []string{"--run-timeout=16m"}, []string{"FLOWW_RUN_TIMEOUT (--run-timeout): 16m is not allowed; allowed: 1s to 15m"}},
		{"size", []string{"FLOWW_WEBHOOK_LIMIT=big"}, nil, []string{"FLOWW_WEBHOOK_LIMIT: ", `"big" is no size`, "25MiB"}},
		{"size out of bounds", nil, []string{"--run-memory=1MiB"}, []string{"FLOWW_RUN_MEMORY", "1MiB is not allowed; allowed: 16MiB to 2GiB"}},
		{"level", []string{"LOG_LEVEL=loud"}, nil, []string{`LOG_LEVEL: "loud" is no level; allowed: debug, info, warn, error`}},
		{"format", []string{"LOG_FORMAT=xml"}, nil, []string{`LOG_FORMAT: "xml" is no form of a log; allowed: text, json`}},
		{"listen", nil, []string{"--listen=8080"}, []string{`FLOWW_LISTEN (--listen): "8080" is no address`, "127.0.0.1:8080"}},
		{"debug", nil, []string{"--debug-listen=:6060"}, []string{`FLOWW_DEBUG_LISTEN (--debug-listen): ":6060" is not an address of the machine itself`, "127.0.0.1:6060"}},
		{"port", nil, []string{"--listen=:99999"}, []string{`FLOWW_LISTEN (--listen): "99999" is no port`}},
		{"domain", nil, []string{"--domain=https://a.example"}, []string{`FLOWW_DOMAIN (--domain): "https://a.example" is no domain`, "flows.example.com"}},
		{"domain of one label", nil, []string{"--domain=localhost"}, []string{`"localhost" is no domain`}},
		{"domain that is an address", nil, []string{"--domain=192.0.2.1"}, []string{`"192.0.2.1" is no domain`}},
		{"domain with a star", nil, []string{"--domain=*.example.com"}, []string{`"*.example.com" is no domain`}},
		{"authority", nil, []string{"--domain=a.example", "--acme-directory=http://b"}, []string{"FLOWW_ACME_DIRECTORY (--acme-directory): ", "https://"}},
		{"https port", nil, []string{"--domain=a.example", "--https-listen=443"}, []string{`FLOWW_HTTPS_LISTEN (--https-listen): "443" is no address`}},
		{"nobody logs in at a domain", nil, []string{"--domain=a.example", "--auth-type=none"}, []string{"AUTH_TYPE (--auth-type): ", "a.example"}},
		{"proxy protocol of nobody", nil, []string{"--proxy-protocol"}, []string{"FLOWW_PROXY_PROTOCOL (--proxy-protocol): it needs TRUSTED_PROXIES"}},
		{"public url", []string{"PUBLIC_API_URL=example.com"}, nil, []string{"PUBLIC_API_URL (--public-url): ", "https://"}},
		{"public url with query", []string{"PUBLIC_API_URL=https://a.example/?x=1"}, nil, []string{"query or a fragment"}},
		{"short token", []string{"FLOWW_METRICS_TOKEN=abc"}, nil, []string{"FLOWW_METRICS_TOKEN", "at least 16 characters"}},
		{"server", []string{"FLOWW_BACKEND_URL=localhost:80"}, nil, []string{"FLOWW_BACKEND_URL (--server): ", `"localhost:80"`}},
		{"missing file", []string{"FLOWW_RUNNERS_FILE=/does/not/exist"}, nil, []string{"FLOWW_RUNNERS_FILE: ", "no such file", "give the path of a file"}},
		{"folder as file", []string{"FLOWW_RUNNERS_FILE=/"}, nil, []string{"FLOWW_RUNNERS_FILE: / is no regular file"}},
		{"several at once", []string{"FLOWW_RUNNERS=many", "LOG_LEVEL=loud"}, nil, []string{"FLOWW_RUNNERS: ", "\nLOG_LEVEL: "}},
		{"several out of bounds", []string{"FLOWW_RUNNERS=0", "FLOWW_RETENTION_DAYS=0"}, nil, []string{"FLOWW_RUNNERS (", "\nFLOWW_RETENTION_DAYS ("}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, test.environ, test.args...)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestEmptyFileIsRefused(t *testing.T) {
	t.Parallel()
	path := writeFile(t, " \n")
	_, err := parse(t, []string{"FLOWW_METRICS_TOKEN_FILE=" + path})
	if err == nil || !strings.Contains(err.Error(), "FLOWW_METRICS_TOKEN_FILE: "+path+" is empty") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		environ string
		nearest string // empty: the name is fine
	}{
		{"FLOWW_RUNNER=1", "FLOWW_RUNNERS"},
		{"FLOWW_DATADIR=x", "FLOWW_DATA_DIR"},
		{"FLOWW_RUNNER_FILE=/x", "FLOWW_RUNNERS_FILE"},
		{"FLOWW_PUBLIC_URL=x", "PUBLIC_API_URL"},
		{"FLOWW_TOKN=x", "FLOWW_TOKEN"},
		{"FLOWW_TOKEN=x", ""},
		{"FLOWW_TOKEN_FILE=x", ""},
		{"FLOWW_BACKEND_URL=http://x", ""},
		{"FLOWW_NAMESPACE=x", ""},
		{"FLOWW_LOG_FORMAT=x", ""},
		{"FLOWW_RUNNER=", ""},
		{"FLOWWX=1", ""},
		{"RUNNERS=1", ""},
	}
	parser, err := kong.New(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.environ, func(t *testing.T) {
			t.Parallel()
			err := NewEnviron([]string{test.environ}).CheckNames(parser.Model)
			if test.nearest == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			name, _, _ := strings.Cut(test.environ, "=")
			want := name + ": there is no such setting; the nearest is " + test.nearest
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
