package records

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// Kind is what the values of a column are.
type Kind uint8

// The kinds of columns.
const (
	Text Kind = iota
	ID
	// Hash is 32 bytes, written in hexadecimal digits.
	Hash
	Integer
	Bool
	Time
	// Size is a column of which only the length in bytes is read.
	Size
	// Hidden is a column that is not read.
	Hidden
)

// Column is a column of a table.
type Column struct {
	Name string
	Kind Kind
	// Of is the entity whose key it holds; empty for none.
	Of string
	// Indexed says that a list can be narrowed to a value of it.
	Indexed bool
	// Found says that a search looks into it.
	Found bool
	// Detail says that it is shown on the page of a single row alone.
	Detail bool
}

// Entity is a table as administrators look at it.
type Entity struct {
	// Name stands in addresses, Title above a list, One above a single row.
	Name, Title, One string
	// Group is what it is listed under.
	Group string
	Table string
	// Key are the columns of the primary key, by which lists are ordered, the
	// greatest first.
	Key     []string
	Columns []Column
}

// Column returns a column by its name.
func (e Entity) Column(name string) (Column, bool) {
	i := slices.IndexFunc(e.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return e.Columns[i], true
}

// Shown are the columns that are read.
func (e Entity) Shown() []Column {
	return slices.DeleteFunc(slices.Clone(e.Columns), func(c Column) bool { return c.Kind == Hidden })
}

// Searched reports whether a text can be looked for.
func (e Entity) Searched() bool {
	return slices.ContainsFunc(e.Columns, func(c Column) bool { return c.Found })
}

// Named returns an entity by its name.
func Named(name string) (Entity, bool) {
	all := All()
	i := slices.IndexFunc(all, func(e Entity) bool { return e.Name == name })
	if i < 0 {
		return Entity{}, false
	}
	return all[i], true
}

// Pointer is a column of an entity that holds keys of another.
type Pointer struct {
	Entity Entity
	Column string
}

// Pointing are the columns that hold keys of an entity and by which lists can be
// narrowed.
func Pointing(to string) (found []Pointer) {
	for _, e := range All() {
		for _, c := range e.Columns {
			if c.Of == to && c.Indexed {
				found = append(found, Pointer{e, c.Name})
			}
		}
	}
	return found
}

// Value is what stands in a column of a row.
type Value struct {
	// Null says that nothing does.
	Null bool
	// Text is the value in words; empty for a time.
	Text string
	Time time.Time
}

// Row is what stands in Entity.Shown.
type Row []Value

// KeySeparator is between the values of a key of several columns. Only the last
// of them can hold one itself.
const KeySeparator = ","

// KeyOf returns the key of a row as it stands in addresses.
func (e Entity) KeyOf(r Row) string {
	var parts []string
	for i, c := range e.Shown() {
		if slices.Contains(e.Key, c.Name) {
			parts = append(parts, r[i].Text)
		}
	}
	return strings.Join(parts, KeySeparator)
}

// SplitKey returns the values of a key that stood in an address; fault.NotFound
// when there are not as many as there must be.
func (e Entity) SplitKey(text string) ([]string, error) {
	parts := strings.SplitN(text, KeySeparator, len(e.Key))
	if text == "" || len(parts) != len(e.Key) {
		return nil, notFound(e)
	}
	return parts, nil
}

func notFound(e Entity) error { return fault.New(fault.NotFound, "%s not found", e.One) }

// Query selects rows.
type Query struct {
	// Column and Value narrow the list to the rows with a value in an indexed
	// column; an empty Column does not.
	Column, Value string
	// Search is a part of a text, or an id, that one of the columns must hold.
	Search string
	// Before goes on behind the key of another page: its Next.
	Before string
	Limit  int
}

// Page are rows in the order of their keys, the greatest first.
type Page struct {
	Rows []Row
	// Next is the Before of the following page; empty when there is none. A page
	// can be followed by another although it has few rows: a search stops after
	// a while.
	Next string
}

// Bounds of a page.
const (
	MaxPage     = 100
	DefaultPage = 25
)

// Store reads rows of any table. Each method is one atomic unit.
type Store interface {
	// Records returns the rows that a query selects; fault.Invalid when a value
	// can't be one of its column.
	Records(ctx context.Context, e Entity, q Query) (Page, error)
	// Record returns a row by its key; fault.NotFound when there is none.
	Record(ctx context.Context, e Entity, key string) (Row, error)
	// Jobs returns what is under way and what waits, of each sort at most limit.
	Jobs(ctx context.Context, limit int) (Jobs, error)
}
