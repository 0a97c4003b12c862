package transfer

import (
	"context"
	"encoding/binary"
	"fmt"
)

// Kind says what the values of a column are, in every database.
type Kind uint8

// The kinds.
const (
	ID      Kind = iota + 1 // 16 bytes
	Bytes                   // any bytes
	Time                    // Unix milliseconds
	Bool                    // 0 or 1
	Integer                 // 64 bits
	Text                    // UTF-8
)

var kindNames = [...]string{ID: "id", Bytes: "bytes", Time: "time", Bool: "bool", Integer: "integer", Text: "text"}

// String returns the kind's name, as it stands in files.
func (k Kind) String() string {
	if k >= ID && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// kindNamed returns the kind of a name; 0 when there is none.
func kindNamed(name string) Kind {
	for k := ID; int(k) < len(kindNames); k++ {
		if kindNames[k] == name {
			return k
		}
	}
	return 0
}

// Column is one column of a table.
type Column struct {
	Name string
	Kind Kind
}

// Table is a table's name with the columns that are transferred, in order.
type Table struct {
	Name    string
	Columns []Column
}

// Value is one value of a row.
type Value struct {
	// Null says that there is none.
	Null bool
	// Int is a time, a bool or an integer.
	Int int64
	// Bytes is an id, a text or bytes.
	Bytes []byte
}

// Row holds the values of a table's columns, in their order.
type Row []Value

// Sink takes tables one after another, those first that others point to.
type Sink interface {
	// Table begins a table.
	Table(ctx context.Context, t Table) error
	// Row takes the next row of the table, in the order of its primary key. The
	// values belong to the caller again when it returns.
	Row(ctx context.Context, r Row) error
	// EndTable ends the table.
	EndTable(ctx context.Context) error
}

// The first byte of a value.
const (
	valueNull byte = 0
	valueSet  byte = 1
)

// appendRow appends a row as it stands in files and is summed.
func appendRow(to []byte, columns []Column, r Row) ([]byte, error) {
	if len(r) != len(columns) {
		return nil, fmt.Errorf("a row has %d values for %d columns", len(r), len(columns))
	}
	for i, v := range r {
		if v.Null {
			to = append(to, valueNull)
			continue
		}
		to = append(to, valueSet)
		switch columns[i].Kind {
		case ID:
			if len(v.Bytes) != idLength {
				return nil, fmt.Errorf("an id of column %s has %d bytes", columns[i].Name, len(v.Bytes))
			}
			to = append(to, v.Bytes...)
		case Bytes, Text:
			if len(v.Bytes) > MaxValue {
				return nil, fmt.Errorf("a value of column %s has %d bytes, more than the %d that are supported", columns[i].Name, len(v.Bytes), MaxValue)
			}
			to = binary.AppendUvarint(to, uint64(len(v.Bytes)))
			to = append(to, v.Bytes...)
		case Time, Bool, Integer:
			to = binary.AppendVarint(to, v.Int)
		default:
			return nil, fmt.Errorf("column %s has no kind", columns[i].Name)
		}
	}
	return to, nil
}

const idLength = 16

// MaxValue is the largest text or bytes of one value: the largest body that a
// webhook can be set to take.
const MaxValue = 1 << 30
