package apptest

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/pgtest"
	"github.com/usefloww/flowwd/internal/schematest"
)

// databaseVariable names the database that the tests of whole servers use:
// empty for SQLite, or postgres.
const databaseVariable = "TEST_DATABASE"

// OnPostgreSQL reports whether servers keep their data in PostgreSQL.
func OnPostgreSQL() bool { return os.Getenv(databaseVariable) == "postgres" }

// databases are the addresses of the databases that belong to data folders.
var databases sync.Map

// cluster is the PostgreSQL server of all databases of a test program. Its files
// are on a disk, so that what tests ask of it costs what it costs.
var cluster struct {
	sync.Once
	server *pgtest.Server
	err    error
}

// Cluster is the PostgreSQL server that DataDir makes databases on.
func Cluster(t testing.TB) *pgtest.Server {
	t.Helper()
	cluster.Do(func() { cluster.server, cluster.err = pgtest.New(pgtest.Options{}) })
	if cluster.err != nil {
		t.Fatal(cluster.err)
	}
	return cluster.server
}

// DataDir returns a folder for a server's data that does not exist, and makes
// the empty database that belongs to it when that is not a file in the folder.
func DataDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if OnPostgreSQL() {
		Bind(dir, NewDatabase(t, Cluster(t)))
	}
	return dir
}

// readyDataDir returns a new folder for a server's data, in memory unless it
// must be on a disk, with a database that has the schema and nothing else.
func readyDataDir(t testing.TB, onDisk bool) string {
	t.Helper()
	parent := memoryDir(t)
	if onDisk || parent == "" {
		parent = t.TempDir()
	}
	dir := filepath.Join(parent, "data")
	if OnPostgreSQL() {
		Bind(dir, schematest.PostgreSQL(t, Cluster(t)))
		return dir
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	schematest.SQLite(t, config.DataDir(dir).Database())
	return dir
}

// memory is where Linux has a file system in memory, and leastMemory what must
// be free of it for tests to use it, in bytes.
const (
	memory      = "/dev/shm"
	leastMemory = 2 << 30
)

// memoryDir returns a new folder in memory that goes with the test; empty where
// the machine has too little.
func memoryDir(t testing.TB) string {
	t.Helper()
	var room syscall.Statfs_t
	if err := syscall.Statfs(memory, &room); err != nil || room.Bavail*uint64(room.Bsize) < leastMemory {
		return ""
	}
	dir, err := os.MkdirTemp(memory, "flowwd-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the data of a server: %v", err)
		}
	})
	return dir
}

// NewDatabase makes an empty database and returns its address.
func NewDatabase(t testing.TB, s *pgtest.Server) string {
	t.Helper()
	url, err := s.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Bind makes a database the one that belongs to a data folder: several folders
// with the same are servers that share it.
func Bind(dir, databaseURL string) { databases.Store(dir, databaseURL) }

// DatabaseURL is the address of the database that belongs to a data folder;
// empty for the file in it.
func DatabaseURL(dir string) string {
	if url, ok := databases.Load(dir); ok {
		return url.(string)
	}
	return ""
}

// Data are the settings of a data folder and its database.
func Data(dir string) config.Data { return config.Data{DataDir: dir, DatabaseURL: DatabaseURL(dir)} }
