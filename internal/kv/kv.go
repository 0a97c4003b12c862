package kv

import (
	"context"
	"encoding/json"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of what a namespace keeps.
const (
	// MaxName bounds names of tables, keys and aliases, in bytes.
	MaxName = 255
	// MaxValue bounds the JSON text of a value, in bytes.
	MaxValue = 1_000_000
	// MaxDepth is how deep a value may be nested.
	MaxDepth = 64
	// MaxTables bounds the tables of a namespace, MaxKeys the keys of a table
	// and MaxPermissions the workflows that may use one.
	MaxTables      = 1000
	MaxKeys        = 100_000
	MaxPermissions = 1000
	// MaxPage bounds the keys of a page, and MaxPageBytes the values in it.
	MaxPage      = MaxKeys
	MaxPageBytes = 16 << 20
)

// Run is the attempt of an execution that asks.
type Run struct {
	ExecutionID id.ID
	Incarnation id.ID
	Attempt     int
}

// Caller is who asks: a run, or people in a namespace.
type Caller struct {
	// Run is the attempt that asks; the store finds its workflow and namespace.
	// Zero for people.
	Run Run
	// OrganizationID and NamespaceID say where people ask.
	OrganizationID, NamespaceID id.ID
	// WorkflowID is the workflow as which somebody acts: with its permissions
	// alone. Zero for people who act as the owner of all tables.
	WorkflowID id.ID
}

// IsRun reports whether a run asks.
func (c Caller) IsRun() bool { return !c.Run.ExecutionID.IsZero() }

// Table names a table: the alias of its store, and its own name.
type Table struct{ Store, Name string }

// Item is a value under its key.
type Item struct {
	Key   string
	Value json.RawMessage
	// Version differs for any two values that the key ever had.
	Version              int64
	CreatedAt, UpdatedAt time.Time
}

// TableInfo is a table as it is listed.
type TableInfo struct {
	Table
	Keys      int
	CreatedAt time.Time
}

// Put is a value to be stored.
type Put struct {
	Table
	Key   string
	Value json.RawMessage
	// IfVersion is the version that is replaced, 0 for none; nil for whatever is
	// there.
	IfVersion *int64
	At        time.Time
}

// Addition counts a number up.
type Addition struct {
	Table
	Key string
	By  float64
	At  time.Time
}

// Listing asks for keys in their order.
type Listing struct {
	Table
	// Prefix is how the keys begin.
	Prefix string
	// After is the key before the first one.
	After string
	Limit int
	// Values asks for the values too, up to MaxBytes of them; one is always given.
	Values   bool
	MaxBytes int
}

// Page is a part of a table.
type Page struct {
	Items []Item
	// More says that there are keys after these.
	More bool
}

// Permission is what a workflow may do to a table.
type Permission struct {
	WorkflowID        id.ID
	CanRead, CanWrite bool
	CreatedAt         time.Time
}

// Store keeps tables. Each method is one atomic unit, durable when it returns
// nil. Faults: NotFound for a table, key or permission that is not there, Denied
// without the permission, Conflict for another version or a limit, and
// Unauthenticated for an attempt that is over.
type Store interface {
	// KVTables returns the names of the tables of a store that the caller has a
	// permission for, in order.
	KVTables(ctx context.Context, c Caller, store string) ([]string, error)
	// AllKVTables returns the tables of all stores that the caller has a permission
	// for, in order.
	AllKVTables(ctx context.Context, c Caller) ([]TableInfo, error)
	KVItems(ctx context.Context, c Caller, l Listing) (Page, error)
	KVItem(ctx context.Context, c Caller, t Table, key string) (Item, error)
	// PutKV stores a value, in a new table when there is none. A workflow may
	// read and write what it made.
	PutKV(ctx context.Context, c Caller, p Put) (Item, error)
	// AddKV adds to a number; a key that is not there counts as 0.
	AddKV(ctx context.Context, c Caller, a Addition) (Item, error)
	// DeleteKV removes a key when it has this version; nil for any.
	DeleteKV(ctx context.Context, c Caller, t Table, key string, ifVersion *int64) error
	// KVPermissions returns who may use a table, the oldest first.
	KVPermissions(ctx context.Context, c Caller, t Table) ([]Permission, error)
	// GrantKV gives a workflow of the same namespace a permission, in place of
	// the one that it has.
	GrantKV(ctx context.Context, c Caller, t Table, p Permission) (Permission, error)
	RevokeKV(ctx context.Context, c Caller, t Table, workflow id.ID) error
}
