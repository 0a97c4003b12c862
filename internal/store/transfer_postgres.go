package store

import (
	"fmt"
	"strings"

	"github.com/usefloww/flowwd/internal/transfer"
)

type postgresCatalog struct{}

var _ catalog = postgresCatalog{}

func (postgresCatalog) kind() string { return "PostgreSQL" }

// A table is read by one statement, and a server that no longer hears from the
// other side must let go in the end.
func (postgresCatalog) patience() []string {
	return []string{"SET statement_timeout = 0", "SET idle_in_transaction_session_timeout = '10min'"}
}

func (postgresCatalog) order() string { return ` COLLATE "C"` }

// reservation is the number of the advisory lock of transfers.
const reservation = 7133701809754865664

func (postgresCatalog) reserve(v *view) (ok bool, err error) {
	_, err = v.one(`SELECT pg_try_advisory_lock(?)`, args{reservation}, &ok)
	return ok, err
}

func (postgresCatalog) exclude(t *tx, tables []string) error {
	quoted := make([]string, len(tables))
	for i, name := range tables {
		quoted[i] = quote(name)
	}
	_, err := t.exec("LOCK TABLE " + strings.Join(quoted, ", ") + " IN ACCESS EXCLUSIVE MODE")
	return err
}

func (postgresCatalog) exists(v *view, table string) (ok bool, err error) {
	_, err = v.one(`SELECT to_regclass(quote_ident(?)) IS NOT NULL`, args{table}, &ok)
	return ok, err
}

func (postgresCatalog) names(v *view) ([]string, error) {
	return texts(v, `
		SELECT CAST(table_name AS text) FROM information_schema.tables
		WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`)
}

func (postgresCatalog) columns(v *view, table string) (columns []transfer.Column, err error) {
	err = v.each(`
		SELECT CAST(column_name AS text), CAST(data_type AS text) FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = ?`, args{table}, func(scan scanner) error {
		var name, declared string
		if err := scan(&name, &declared); err != nil {
			return err
		}
		kind, known := postgresKinds[declared]
		if !known {
			return fmt.Errorf("column %s has the type %q, which can't be transferred", name, declared)
		}
		columns = append(columns, transfer.Column{Name: name, Kind: kind})
		return nil
	})
	return columns, err
}

var postgresKinds = map[string]transfer.Kind{
	"uuid": transfer.ID, "bytea": transfer.Bytes, "timestamp with time zone": transfer.Time,
	"boolean": transfer.Bool, "bigint": transfer.Integer, "text": transfer.Text,
}

func (postgresCatalog) key(v *view, table string) ([]string, error) {
	return texts(v, `
		SELECT CAST(a.attname AS text)
		FROM pg_constraint c
		CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (number, place)
		JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
		WHERE c.contype = 'p' AND c.conrelid = to_regclass(quote_ident(?))
		ORDER BY k.place`, table)
}

func (postgresCatalog) references(v *view, table string) ([]string, error) {
	return texts(v, `
		SELECT DISTINCT CAST(r.relname AS text)
		FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid
		WHERE c.contype = 'f' AND c.conrelid = to_regclass(quote_ident(?))`, table)
}
