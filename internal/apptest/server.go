package apptest

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Options change how a server is started.
type Options struct {
	// DataDir is used as it is; empty for a new folder.
	DataDir string
	// OnDisk has a new folder on a disk, for much data. Another one is in memory
	// where the machine has a file system for that: no test that has its server in
	// its own process cuts the power, and each commit waits for a disk.
	OnDisk bool
	// Engine takes the place of the embedded engine.
	Engine engine.Engine
	// Way takes the place of the way to log in that the settings choose.
	Way identity.Way
	// Settings changes the settings before the start.
	Settings func(*config.Settings)
	// Now is the server's clock; nil for the machine's.
	Now func() time.Time
	// Log takes the server's log; nil for the test's own.
	Log io.Writer
}

// Server is a server in this process, with a key for its default organization.
type Server struct {
	*Client
	App     *app.Server
	DataDir string
	stop    func(testing.TB)
	beside  func() (*store.Store, error)
}

// Start starts a server in this process on a free port, and stops it with the
// test. Its children are those of the built binary.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.DataDir == "" {
		o.DataDir = readyDataDir(t, o.OnDisk)
	}
	settings := Settings(t, o.DataDir)
	if o.Settings != nil {
		o.Settings(&settings)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	// A process started ahead for everybody who may come is one more to pay for
	// where nobody does.
	c := app.Config{
		Settings: settings, Engine: o.Engine, Way: o.Way, Spares: -1,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: o.Now, Version: "test",
	}
	if o.Log != nil {
		c.Log = slog.New(slog.NewTextHandler(o.Log, nil))
	} else if testing.Verbose() {
		c.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if o.Engine == nil {
		c.Runner = app.RunnerCommand(Binary(t))
	}
	a, err := app.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("open a server: %v", err)
	}
	var once sync.Once
	s := &Server{App: a, DataDir: o.DataDir, stop: func(t testing.TB) {
		once.Do(func() {
			if err := a.Stop(context.Background()); err != nil {
				t.Errorf("stop the server: %v", err)
			}
		})
	}}
	t.Cleanup(func() {
		s.stop(t)
		// A test is kept, with what its cleanups hold, until all parallel ones have
		// ended; a hundred servers are a gigabyte.
		s.App, a = nil, nil
	})
	s.beside = besides(t, o.DataDir)
	if err := a.Start(t.Context()); err != nil {
		t.Fatalf("start the server: %v", err)
	}
	s.Client = NewClient(t, a.URL(), CreateKey(t, o.DataDir))
	return s
}

// Stop stops the server before the end of its test.
func (s *Server) Stop(t testing.TB) { s.stop(t) }

// Settings are the defaults, for a data folder and a free port.
func Settings(t testing.TB, dir string) config.Settings {
	t.Helper()
	s, err := config.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	s.DataDir, s.DatabaseURL, s.Listen = dir, DatabaseURL(dir), "127.0.0.1:0"
	s.RateLimit = 1_000_000 // tests ask with one key, as often as they can
	return s
}

// CreateKey makes an API key of the default organization, as the command line
// does beside a server.
func CreateKey(t testing.TB, dir string) string {
	t.Helper()
	return CreateKeyLike(t, dir, app.KeyOptions{Name: "test"})
}

// CreateKeyLike does the same for a key with options.
func CreateKeyLike(t testing.TB, dir string, o app.KeyOptions) string {
	t.Helper()
	admin, err := app.OpenAdmin(t.Context(), Data(dir), true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open the data folder: %v", err)
	}
	defer admin.Close()
	key, err := admin.CreateKey(t.Context(), o)
	if err != nil {
		t.Fatalf("create a key: %v", err)
	}
	return key
}

// OtherTenant makes a second organization in a server's data folder and returns
// a client of it.
func (s *Server) OtherTenant(t testing.TB) *Client {
	t.Helper()
	ctx, db := t.Context(), s.Store(t)
	ids := id.NewSource(time.Now)
	namespace, err := (&tenant.Service{Store: db, IDs: ids, Now: time.Now}).Create(ctx, "Other")
	if err != nil {
		t.Fatalf("create an organization: %v", err)
	}
	key, _, err := (&identity.Service{Keys: db, IDs: ids, Now: time.Now}).CreateKey(ctx, namespace.OrganizationID, tenant.RoleAdmin, identity.KeyRequest{Name: "other"})
	if err != nil {
		t.Fatalf("create a key: %v", err)
	}
	return NewClient(t, s.URL, key)
}

// Store opens the server's database beside the server, once, until the end of
// the server's test.
func (s *Server) Store(t testing.TB) *store.Store {
	t.Helper()
	db, err := s.beside()
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	return db
}

// besides opens the database of a data folder when it is first asked for.
func besides(t testing.TB, dir string) func() (*store.Store, error) {
	return sync.OnceValues(func() (*store.Store, error) {
		data := Data(dir)
		db, err := store.Open(t.Context(), store.Config{
			URL: data.DatabaseURL, Path: config.DataDir(data.DataDir).Database(), Now: time.Now, Log: slog.New(slog.DiscardHandler), Readers: 1,
		})
		if err == nil {
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Errorf("close the database: %v", err)
				}
			})
		}
		return db, err
	})
}

var binary struct {
	once sync.Once
	path string
	err  error
}

// binaryVariable names a built flowwd for all packages' tests, since each build
// links it anew; empty for each package to build its own.
const binaryVariable = "TEST_BINARY"

// Binary builds flowwd, once for all tests of a package, and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	if built := os.Getenv(binaryVariable); built != "" {
		// Go notes what is looked at, and tests again when it has changed.
		if _, err := os.Stat(built); err != nil {
			t.Fatalf("the binary of %s: %v", binaryVariable, err)
		}
		return built
	}
	binary.once.Do(func() {
		dir, err := os.MkdirTemp("", "flowwd-test-")
		if err != nil {
			binary.err = err
			return
		}
		binary.path = filepath.Join(dir, "flowwd")
		binary.err = Build(binary.path)
	})
	if binary.err != nil {
		t.Fatalf("build flowwd: %v", binary.err)
	}
	return binary.path
}

// Build builds flowwd with build tags.
func Build(path string, tags ...string) error {
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-tags", strings.Join(tags, ","), "-o", path, "github.com/usefloww/flowwd/cmd/flowwd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return build.Run()
}

// Main runs the tests of a package, and then removes what Binary built and ends
// what Cluster started. It is what TestMain exits with.
func Main(m *testing.M) int {
	code := m.Run()
	if cluster.server != nil {
		_ = cluster.server.Remove() // the tests are over
	}
	if binary.path != "" {
		_ = os.RemoveAll(filepath.Dir(binary.path))
	}
	return code
}
