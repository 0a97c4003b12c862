// Package migrations holds the steps that make and change the database's
// schema: one folder for each dialect, the same numbers and names in all.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql
var files embed.FS

// SQLite returns the steps for SQLite.
func SQLite() (fs.FS, error) { return fs.Sub(files, "sqlite") }
