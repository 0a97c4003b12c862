package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// SQLite returns the steps for SQLite.
func SQLite() (fs.FS, error) { return fs.Sub(files, "sqlite") }

// PostgreSQL returns the steps for PostgreSQL.
func PostgreSQL() (fs.FS, error) { return fs.Sub(files, "postgres") }
