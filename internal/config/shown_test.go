package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/usefloww/flowwd/internal/config"
)

func TestSettingsInForce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("very secret metrics token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := config.NewEnviron([]string{
		"FLOWW_RUNNERS=3", "FLOWW_METRICS_TOKEN_FILE=" + file, "LOG_LEVEL=", "ADMIN_USER_IDS=a,b", "PUBLIC_API_URL=https://a.example", "DATABASE_URL=postgres://u:hidden@h/d",
	})
	var s config.Settings
	parser, err := kong.New(&s, kong.Resolvers(env))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse([]string{"--public-url=https://b.example", "--run-timeout=7s"})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := s.Show(env.Sources(parsed))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	for _, one := range shown {
		got[one.Variable] = [2]string{one.Value, one.Source}
		if strings.Contains(one.Value, "secret") || strings.Contains(one.Value, "hidden") {
			t.Errorf("%s shows %q", one.Variable, one.Value)
		}
		// The help warns of flags that hold secrets: those are what is not shown.
		if warns := strings.Contains(one.Help, "can be read by other users"); warns != one.Secret {
			t.Errorf("%s: secret %v, and the help warns: %v", one.Variable, one.Secret, warns)
		}
	}
	for variable, want := range map[string][2]string{
		"FLOWW_RUNNERS":       {"3", "FLOWW_RUNNERS"},
		"FLOWW_METRICS_TOKEN": {"set", "FLOWW_METRICS_TOKEN_FILE"},
		"DATABASE_URL":        {"set", "DATABASE_URL"},
		"LOG_LEVEL":           {"info", ""},
		"ADMIN_USER_IDS":      {"a, b", "ADMIN_USER_IDS"},
		"PUBLIC_API_URL":      {"https://b.example", "--public-url"},
		"FLOWW_RUN_TIMEOUT":   {"7s", "--run-timeout"},
		"ENCRYPTION_KEY":      {"", ""},
		"FLOWW_RUN_MEMORY":    {"128MiB", ""},
	} {
		if got[variable] != want {
			t.Errorf("%s is %q, want %q", variable, got[variable], want)
		}
	}
}
