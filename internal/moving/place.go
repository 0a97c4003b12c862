package moving

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/store"
)

// Report is told how many rows of a table have passed, now and then; done says
// that these are all.
type Report func(table string, rows int64, done bool)

func (r Report) orNone() Report {
	if r == nil {
		return func(string, int64, bool) {}
	}
	return r
}

// place is a database: a data folder with a SQLite file, or an address.
type place struct {
	dir config.DataDir
	url string
}

// The words that name a database on the command line.
const (
	wordSQLite   = "sqlite"
	wordPostgres = "postgres"
)

// parsePlace reads how a database is named: sqlite:FOLDER, postgres://…, or the
// first word alone for the one of the settings.
func parsePlace(text string, data config.Data) (place, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	switch {
	case scheme == wordSQLite:
		if rest == "" {
			rest = data.DataDir
		}
		file := filepath.Base(config.DataDir("").Database())
		if filepath.Base(rest) == file {
			rest = filepath.Dir(rest)
		}
		return place{dir: config.DataDir(rest)}, nil
	case text == wordPostgres:
		if data.DatabaseURL == "" {
			return place{}, errors.New("'postgres' alone means the database of --database-url or DATABASE_URL, and neither is set")
		}
		return place{url: data.DatabaseURL}, nil
	case scheme == wordPostgres || scheme == "postgresql":
		// postgres:postgres://… names the kind twice.
		if strings.HasPrefix(rest, wordPostgres) {
			text = rest
		}
		if u, err := url.Parse(text); err != nil || u.Host == "" {
			return place{}, errors.New("a PostgreSQL database is named like postgres://user:password@host:5432/name")
		}
		return place{url: text}, nil
	}
	return place{}, fmt.Errorf("%q names no database: give sqlite:FOLDER or postgres://user:password@host:5432/name", text)
}

// placeOf is the database of settings.
func placeOf(data config.Data) place {
	if data.Shared() {
		return place{url: data.DatabaseURL}
	}
	return place{dir: config.DataDir(data.DataDir)}
}

func (p place) shared() bool { return p.url != "" }

// String names the place without its secrets.
func (p place) String() string {
	if !p.shared() {
		return "the data folder " + string(p.dir)
	}
	u, err := url.Parse(p.url)
	if err != nil {
		return "a PostgreSQL database"
	}
	return "postgres://" + u.Host + u.Path
}

func (p place) config() store.Config {
	c := store.Config{URL: p.url, Log: slog.New(slog.DiscardHandler)}
	if !p.shared() {
		c.Path, c.Blobs = p.dir.Database(), p.dir.Blobs()
	}
	return c
}

// exists refuses a data folder without a database.
func (p place) exists() error {
	if p.shared() {
		return nil
	}
	if err := p.dir.Check(); err != nil {
		return err
	}
	if _, err := os.Stat(p.dir.Database()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no database; with PostgreSQL its address is needed too (--database-url or DATABASE_URL)", p)
	} else if err != nil {
		return fmt.Errorf("look at the database: %w", err)
	}
	return nil
}

// lock keeps servers away from a data folder; what several share has marks.
func (p place) lock() (release func() error, err error) {
	if p.shared() {
		return func() error { return nil }, nil
	}
	lock, err := p.dir.Acquire()
	if err != nil {
		return nil, err
	}
	return lock.Release, nil
}
