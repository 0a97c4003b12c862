package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/usefloww/flowwd/internal/transfer"
)

// catalog is what a database says about itself, and where transfers need other
// words for each kind of it.
type catalog interface {
	// kind names the kind of database.
	kind() string
	// patience are statements that let a connection do what takes long.
	patience() []string
	// exists reports whether there is a table.
	exists(v *view, table string) (bool, error)
	// names returns the names of all tables.
	names(v *view) ([]string, error)
	// columns returns the columns of a table with the kinds of their values.
	columns(v *view, table string) ([]transfer.Column, error)
	// key returns the columns of a table's primary key, in order.
	key(v *view, table string) ([]string, error)
	// references returns the tables that a table points to.
	references(v *view, table string) ([]string, error)
	// order ends the name of a text column in ORDER BY, for the order of bytes.
	order() string
	// reserve keeps other transfers into the database out as long as the
	// connection stands. It reports false when one is under way.
	reserve(v *view) (bool, error)
	// exclude keeps everybody else out of tables until the transaction ends.
	exclude(t *tx, tables []string) error
}

func catalogOf(d database) catalog {
	if _, ok := d.(*postgresDatabase); ok {
		return postgresCatalog{}
	}
	return sqliteCatalog{}
}

// notTransferred are the tables that say something about one database alone.
var notTransferred = map[string]string{
	goose.DefaultTablename: "the version of the schema: it is equal in both",
	markTable:              "what is under way with this database",
	"nodes":                "the processes that use this database now",
}

// The column that holds the bodies of events, and the one that names the file
// where a large one is kept instead. Databases differ in what they keep where:
// the body is transferred, the name is not.
const (
	bodyTable, bodyColumn, bodyPlace = "events", "body", "body_hash"
	noBody                           = -1
)

// table is a table of the schema as a transfer sees it.
type table struct {
	name    string
	columns []transfer.Column // by name
	key     []string          // with their order, for ORDER BY
	// references are the tables that this one points to.
	references []string
	// body is the place of the column that holds bodies; noBody in all other
	// tables.
	body int
}

// Table is the table as sinks know it.
func (t table) Table() transfer.Table { return transfer.Table{Name: t.name, Columns: t.columns} }

// query reads all rows, with the place of a body behind the columns.
func (t table) query() string {
	return "SELECT " + t.list() + " FROM " + quote(t.name) + " ORDER BY " + strings.Join(t.key, ", ")
}

// insert writes n rows.
func (t table) insert(n int) string {
	width := len(t.columns)
	if t.body != noBody {
		width++
	}
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	return "INSERT INTO " + quote(t.name) + " (" + t.list() + ") VALUES " + row + strings.Repeat(", "+row, n-1)
}

func (t table) list() string {
	names := make([]string, 0, len(t.columns)+1)
	for _, c := range t.columns {
		names = append(names, quote(c.Name))
	}
	if t.body != noBody {
		names = append(names, quote(bodyPlace))
	}
	return strings.Join(names, ", ")
}

func quote(name string) string { return `"` + name + `"` }

// readTables returns the tables that are transferred, those first that others
// point to.
func readTables(v *view, c catalog) ([]table, error) {
	names, err := c.names(v)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	slices.Sort(names)
	var tables []table
	for _, name := range names {
		if _, skipped := notTransferred[name]; skipped {
			continue
		}
		t, err := readTable(v, c, name)
		if err != nil {
			return nil, fmt.Errorf("look at table %s: %w", name, err)
		}
		tables = append(tables, t)
	}
	return inOrder(tables)
}

func readTable(v *view, c catalog, name string) (t table, err error) {
	t = table{name: name, body: noBody}
	if t.columns, err = c.columns(v, name); err != nil {
		return t, err
	}
	slices.SortFunc(t.columns, func(a, b transfer.Column) int { return strings.Compare(a.Name, b.Name) })
	if name == bodyTable {
		t.columns = slices.DeleteFunc(t.columns, func(c transfer.Column) bool { return c.Name == bodyPlace })
		t.body = slices.IndexFunc(t.columns, func(c transfer.Column) bool { return c.Name == bodyColumn })
	}
	key, err := c.key(v, name)
	if err != nil {
		return t, err
	}
	if len(key) == 0 {
		return t, fmt.Errorf("it has no primary key")
	}
	for _, column := range key {
		at := slices.IndexFunc(t.columns, func(c transfer.Column) bool { return c.Name == column })
		if at < 0 {
			return t, fmt.Errorf("column %s of its primary key is not transferred", column)
		}
		text := quote(column)
		if t.columns[at].Kind == transfer.Text {
			text += c.order()
		}
		t.key = append(t.key, text)
	}
	t.references, err = c.references(v, name)
	return t, err
}

// inOrder sorts tables so that each comes after those that it points to.
func inOrder(tables []table) ([]table, error) {
	sorted := make([]table, 0, len(tables))
	done := make(map[string]bool, len(tables))
	for len(sorted) < len(tables) {
		before := len(sorted)
		for _, t := range tables {
			ready := !done[t.name] && !slices.ContainsFunc(t.references, func(r string) bool { return r != t.name && !done[r] })
			if ready {
				done[t.name] = true
				sorted = append(sorted, t)
			}
		}
		if len(sorted) == before {
			return nil, fmt.Errorf("the tables point to each other in a circle")
		}
	}
	return sorted, nil
}
