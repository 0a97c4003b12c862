package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/usefloww/flowwd/internal/fault"
)

// migrate brings the schema up to date. The caller holds the lock that keeps
// other processes from doing the same.
func migrate(ctx context.Context, m *goose.Provider) error {
	have, want, err := m.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if have > want {
		return newer(have, want)
	}
	if _, err := m.Up(ctx); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			return fmt.Errorf("migration %s: %w", partial.Failed.Source.Path, partial.Err)
		}
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// checkVersion reports a schema that is not this program's. It reads the
// version by itself, for goose makes its table when it is missing.
func checkVersion(ctx context.Context, d database, pool *sql.DB) error {
	m, err := d.migrator(pool)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	var have, want int64
	for _, step := range m.ListSources() {
		want = max(want, step.Version)
	}
	err = pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+goose.DefaultTablename).Scan(&have)
	switch {
	case err != nil:
		return fmt.Errorf("the database has no schema of flowwd's (%w): start `flowwd serve` once to make it", err)
	case have > want:
		return newer(have, want)
	case have < want:
		return fault.New(fault.Unavailable,
			"the database has schema version %d and this flowwd needs %d: start `flowwd serve` once to migrate it", have, want)
	}
	return nil
}

func newer(have, want int64) error {
	return fault.New(fault.Unavailable,
		"the database has schema version %d and this flowwd knows %d: use the flowwd that made it, or a newer one", have, want)
}
