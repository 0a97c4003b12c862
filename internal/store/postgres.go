package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/usefloww/flowwd/internal/store/migrations"
)

// oldestPostgres is the oldest version that the tests are meant to hold for, as
// the server_version_num setting writes it.
const oldestPostgres = 140000

// postgresSession are settings of every connection. A role or a database may
// have other defaults, and no promise may depend on these.
var postgresSession = map[string]string{
	"application_name":   "flowwd",
	"timezone":           "UTC",
	"synchronous_commit": "on",
	"statement_timeout":  "30s",
	"lock_timeout":       "20s",
	// A process that is frozen within a transaction must not keep its locks.
	"idle_in_transaction_session_timeout": "10s",
}

// postgresWriting are settings of the connections that write. Each of their
// statements knows its rows by an index, and their plans are kept: one that was
// made while a table was small must not read the whole of it when it is large.
var postgresWriting = map[string]string{
	"enable_seqscan":   "off",
	"enable_hashjoin":  "off",
	"enable_mergejoin": "off",
}

// connectTimeout bounds making a connection when the address sets none.
const connectTimeout = 5 * time.Second

// postgresDatabase is a database of a PostgreSQL server.
type postgresDatabase struct {
	postgresDialect
	config *pgx.ConnConfig
}

// openPostgres reads the address of a database, such as
// postgres://user:password@host:5432/name.
func openPostgres(address string) (*postgresDatabase, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err // it leaves the password out
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	for name, value := range postgresSession {
		config.RuntimeParams[name] = value
	}
	return &postgresDatabase{config: config}, nil
}

func (d *postgresDatabase) String() string {
	return fmt.Sprintf("%s on %s:%d", d.config.Database, d.config.Host, d.config.Port)
}

func (d *postgresDatabase) open(mode mode) (*sql.DB, error) {
	config := d.config.Copy()
	if mode == writing {
		maps.Copy(config.RuntimeParams, postgresWriting)
	}
	return stdlib.OpenDB(*config), nil
}

func (d *postgresDatabase) migrator(pool *sql.DB) (*goose.Provider, error) {
	steps, err := migrations.PostgreSQL()
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, pool, steps, goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
}

func (d *postgresDatabase) prepare(ctx context.Context) (err error) {
	pool := stdlib.OpenDB(*d.config)
	defer func() { err = errors.Join(err, pool.Close()) }()
	version, name := 0, ""
	err = pool.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version')`).Scan(&version, &name)
	if err != nil {
		return err
	}
	if version < oldestPostgres {
		return fmt.Errorf("the server is PostgreSQL %s; flowwd needs 14 or newer", name)
	}
	m, err := d.migrator(pool)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return migrate(ctx, m)
}

// check looks at settings with which a power cut or a crash loses what was
// acknowledged.
func (d *postgresDatabase) check(v *view) []error {
	var found []error
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var got string
		if _, err := v.one(`SELECT current_setting(?)`, args{setting}, &got); err != nil {
			found = append(found, fmt.Errorf("PostgreSQL's setting %s can't be read: %w", setting, err))
		} else if !strings.EqualFold(got, "on") {
			found = append(found, fmt.Errorf("PostgreSQL's setting %s is %s: a power cut loses acknowledged events; set it to on", setting, got))
		}
	}
	return found
}
