package config

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"pgregory.net/rapid"
)

func TestBaseURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		public string
		addr   net.TCPAddr
		want   string
	}{
		{"", net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, "http://127.0.0.1:8080"},
		{"", net.TCPAddr{IP: net.IPv4zero, Port: 80}, "http://localhost:80"},
		{"", net.TCPAddr{IP: net.IPv6unspecified, Port: 9}, "http://localhost:9"},
		{"", net.TCPAddr{IP: net.IPv6loopback, Port: 9}, "http://[::1]:9"},
		{"https://flows.example.com/", net.TCPAddr{Port: 9}, "https://flows.example.com"},
		{"https://example.com/flows", net.TCPAddr{Port: 9}, "https://example.com/flows"},
	}
	for _, test := range tests {
		s := Settings{PublicURL: test.public}
		if got := s.BaseURL(&test.addr); got != test.want {
			t.Errorf("public %q, listening on %v: got %s, want %s", test.public, &test.addr, got, test.want)
		}
	}
}

// TestTags asserts that what the tags promise can be kept: every setting has a
// variable, help, and a default within its bounds.
func TestTags(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commandLine{}, kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	for _, flag := range parser.Model.Flags {
		if len(flag.Tag.Envs) != 1 || flag.Help == "" || flag.Group == nil {
			t.Errorf("--%s lacks a variable, help or a group", flag.Name)
		}
		if flag.Hidden {
			t.Errorf("--%s is hidden", flag.Name)
		}
	}
	problems, err := CheckBounds(parser.Model.Flags)
	if err != nil || len(problems) > 0 {
		t.Errorf("defaults are outside their bounds: %v %v", err, problems)
	}
}

// TestProblemsNameSettings asserts that the names in problems are those of the
// tags.
func TestProblemsNameSettings(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, flag := range parser.Model.Flags {
		names[SettingName(flag)] = true
	}
	settings := Settings{Listen: "x", PublicURL: "x", MetricsToken: "x", Containers: Containers{Runtime: "lambda", DockerStopAfter: 1}, Images: Images{RegistryURL: "x", RegistryUser: "x"}, Traces: Traces{TraceEndpoint: "x", TraceProtocol: "grpc", TraceHeaders: "x", TraceShare: 2}}
	client := Client{Remote: Remote{Server: "x"}}
	problems := append(settings.Check(), client.Check()...)
	if len(problems) != 16 {
		t.Errorf("got %d problems: %v", len(problems), problems)
	}
	for _, p := range problems {
		if !names[p.Setting] {
			t.Errorf("%q is not how a setting is named", p.Setting)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{
		"0": 0, "1048576": 1 << 20, "25MiB": 25 << 20, "25 MiB": 25 << 20, "25MB": 25_000_000, "1kB": 1000, "2GiB": 2 << 30, "1.5KiB": 1536,
	} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "99EiB", "1 apple", "NaN"} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: read as %d", text, got)
		}
	}
}

func TestSizeTextIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Size(rapid.Int64Range(0, 1<<40).Draw(t, "size"))
		var got Size
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Fatalf("%d is written %s and read %d, %v", want, want, got, err)
		}
	})
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"RUNNER", "RUNNERS", 1}, {"abc", "abc", 0}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
	text := rapid.StringMatching(`[A-Z_]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := text.Draw(t, "a"), text.Draw(t, "b"), text.Draw(t, "c")
		if distance(a, b) != distance(b, a) {
			t.Fatal("not symmetric")
		}
		if (distance(a, b) == 0) != (a == b) {
			t.Fatal("zero for different texts, or not for equal ones")
		}
		if distance(a, c) > distance(a, b)+distance(b, c) {
			t.Fatal("a detour is shorter")
		}
	})
}

func TestLogger(t *testing.T) {
	t.Parallel()
	for format, want := range map[LogFormat]string{LogText: `msg="hello you"`, LogJSON: `"msg":"hello you"`} {
		var out bytes.Buffer
		s := Settings{LogFormat: format}
		log := s.Logger(&out)
		log.Debug("quiet")
		log.Info("hello you")
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "quiet") {
			t.Errorf("%s: got %s", format, out.String())
		}
	}
}
