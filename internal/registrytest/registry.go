package registrytest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd" // the library finds it by name
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"

	"github.com/usefloww/flowwd/internal/registry/files"
)

// Who may do everything.
const (
	User     = "flowwd"
	Password = "upstream-secret"
)

// The ways to ask who somebody is.
const (
	Basic = "basic"
	Token = "token"
)

// Options change how a registry is started.
type Options struct {
	// Login is Basic or Token; empty for a registry that asks nobody.
	Login string
	// Around is put around the registry; nil for nothing.
	Around func(http.Handler) http.Handler
}

// Registry is a running registry.
type Registry struct {
	URL string
	// Tokens gives tokens; nil for other ways to log in.
	Tokens *Tokens
}

const driverName = "folder of a test"

// prepare has the library find a driver by name, as it wants to: its own ones
// bring exporters of traces.
var prepare = sync.OnceFunc(func() {
	logrus.SetOutput(io.Discard)
	factory.Register(driverName, opener{})
})

type opener struct{}

func (opener) Create(_ context.Context, parameters map[string]any) (driver.StorageDriver, error) {
	return files.Open(parameters["folder"].(string))
}

// Start starts a registry and stops it with the test.
func Start(t testing.TB, o Options) *Registry {
	t.Helper()
	prepare()
	dir := t.TempDir()
	r := &Registry{}
	settings := &configuration.Configuration{Storage: configuration.Storage{
		driverName:    configuration.Parameters{"folder": filepath.Join(dir, "images")},
		"delete":      configuration.Parameters{"enabled": true},
		"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
	}}
	settings.HTTP.Secret = "secret"
	settings.Log.AccessLog.Disabled = true
	switch o.Login {
	case Basic:
		hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "htpasswd")
		if err := os.WriteFile(path, fmt.Appendf(nil, "%s:%s\n", User, hash), 0o600); err != nil {
			t.Fatal(err)
		}
		settings.Auth = configuration.Auth{"htpasswd": configuration.Parameters{"realm": "upstream", "path": path}}
	case Token:
		r.Tokens = startTokens(t)
		path := filepath.Join(dir, "jwks.json")
		if err := os.WriteFile(path, r.Tokens.keys, 0o600); err != nil {
			t.Fatal(err)
		}
		settings.Auth = configuration.Auth{"token": configuration.Parameters{
			"realm": r.Tokens.URL + "/token", "issuer": issuer, "service": service, "jwks": path, "signingalgorithms": []any{"ES256"},
		}}
	}
	app := handlers.NewApp(context.Background(), settings)
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Errorf("stop the registry: %v", err)
		}
	})
	var handler http.Handler = app
	if o.Around != nil {
		handler = o.Around(app)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}
