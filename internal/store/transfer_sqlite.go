package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/transfer"
)

type sqliteCatalog struct{}

var _ catalog = sqliteCatalog{}

func (sqliteCatalog) kind() string       { return "SQLite" }
func (sqliteCatalog) patience() []string { return nil }
func (sqliteCatalog) order() string      { return "" }

// The folder's lock keeps other processes out.
func (sqliteCatalog) reserve(*view) (bool, error) { return true, nil }

// A transaction that writes keeps others out of all tables.
func (sqliteCatalog) exclude(*tx, []string) error { return nil }

func (sqliteCatalog) exists(v *view, table string) (bool, error) {
	var one int
	return v.one(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`, args{table}, &one)
}

func (sqliteCatalog) names(v *view) ([]string, error) {
	return texts(v, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
}

func (sqliteCatalog) columns(v *view, table string) (columns []transfer.Column, err error) {
	err = v.each(`SELECT name, type FROM pragma_table_info(?)`, args{table}, func(scan scanner) error {
		var name, declared string
		if err := scan(&name, &declared); err != nil {
			return err
		}
		kind, err := sqliteKind(name, declared)
		columns = append(columns, transfer.Column{Name: name, Kind: kind})
		return err
	})
	return columns, err
}

func (sqliteCatalog) key(v *view, table string) ([]string, error) {
	return texts(v, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table)
}

func (sqliteCatalog) references(v *view, table string) ([]string, error) {
	return texts(v, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)`, table)
}

// texts returns the only column of a query.
func texts(v *view, query string, values ...any) (found []string, err error) {
	err = v.each(query, values, func(scan scanner) error {
		var text string
		err := scan(&text)
		found = append(found, text)
		return err
	})
	return found, err
}

// The names of columns by what is in them. SQLite's own types don't tell an id
// from other bytes, nor a time or a bool from another number.
var (
	idColumns   = []string{"id", "claimed_by", "incarnation"}
	timeColumns = []string{"lease_until", "at", "provider_until", "since", "until"}
	boolColumns = []string{"active", "has_body", "fail_on_interrupt", "is_default", "is_admin", "postponed", "can_read", "can_write", "dev_only", "mirror"}
)

// sqliteKind returns what the values of a column are, by its name and the type
// it was declared with.
func sqliteKind(name, declared string) (transfer.Kind, error) {
	switch declared {
	case "BLOB":
		if strings.HasSuffix(name, "_id") || slices.Contains(idColumns, name) {
			return transfer.ID, nil
		}
		return transfer.Bytes, nil
	case "INTEGER":
		switch {
		case strings.HasSuffix(name, "_at"), slices.Contains(timeColumns, name):
			return transfer.Time, nil
		case slices.Contains(boolColumns, name):
			return transfer.Bool, nil
		}
		return transfer.Integer, nil
	case "TEXT":
		return transfer.Text, nil
	}
	return 0, fmt.Errorf("column %s has the type %q, which can't be transferred", name, declared)
}
