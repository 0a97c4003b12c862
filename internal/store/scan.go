package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// targets wraps the destinations of a row in scanners that read what either
// database gives: an id as 16 bytes or as text, a time as milliseconds or as a
// time. NULL becomes the zero value.
func targets(into []any) []any {
	for i, d := range into {
		switch d := d.(type) {
		case *id.ID:
			into[i] = (*idColumn)(d)
		case *workflow.Hash:
			into[i] = (*hashColumn)(d)
		case *time.Time:
			into[i] = (*timeColumn)(d)
		case **time.Time:
			into[i] = optionalTime{d}
		case *time.Duration:
			into[i] = (*durationColumn)(d)
		case **time.Duration:
			into[i] = optionalDuration{d}
		case *string:
			into[i] = (*textColumn)(d)
		case *json.RawMessage:
			into[i] = (*jsonColumn)(d)
		}
	}
	return into
}

var (
	_ sql.Scanner = (*idColumn)(nil)
	_ sql.Scanner = (*hashColumn)(nil)
	_ sql.Scanner = (*timeColumn)(nil)
	_ sql.Scanner = optionalTime{}
	_ sql.Scanner = (*durationColumn)(nil)
	_ sql.Scanner = optionalDuration{}
	_ sql.Scanner = (*textColumn)(nil)
	_ sql.Scanner = (*jsonColumn)(nil)
)

type idColumn id.ID

// Scan reads 16 bytes or the UUID text.
func (c *idColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = idColumn{}
		return nil
	case []byte:
		if len(v) == len(c) {
			copy(c[:], v)
			return nil
		}
	case string:
		parsed, err := id.Parse(v)
		*c = idColumn(parsed)
		return err
	}
	return fmt.Errorf("%T is no id", src)
}

type hashColumn workflow.Hash

// Scan reads 32 bytes.
func (c *hashColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = hashColumn{}
		return nil
	case []byte:
		if len(v) == len(c) {
			copy(c[:], v)
			return nil
		}
	}
	return fmt.Errorf("%T is no hash", src)
}

type timeColumn time.Time

// Scan reads Unix milliseconds or a time.
func (c *timeColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = timeColumn{}
	case int64:
		*c = timeColumn(time.UnixMilli(v).UTC())
	case time.Time:
		*c = timeColumn(v.UTC())
	default:
		return fmt.Errorf("%T is no time", src)
	}
	return nil
}

type optionalTime struct{ at **time.Time }

// Scan reads what timeColumn reads; NULL becomes nil.
func (c optionalTime) Scan(src any) error {
	*c.at = nil
	if src == nil {
		return nil
	}
	var t time.Time
	if err := (*timeColumn)(&t).Scan(src); err != nil {
		return err
	}
	*c.at = &t
	return nil
}

type durationColumn time.Duration

// Scan reads milliseconds.
func (c *durationColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = 0
	case int64:
		*c = durationColumn(time.Duration(v) * time.Millisecond)
	default:
		return fmt.Errorf("%T is no duration", src)
	}
	return nil
}

type optionalDuration struct{ d **time.Duration }

// Scan reads milliseconds; NULL becomes nil.
func (c optionalDuration) Scan(src any) error {
	*c.d = nil
	if src == nil {
		return nil
	}
	var d time.Duration
	if err := (*durationColumn)(&d).Scan(src); err != nil {
		return err
	}
	*c.d = &d
	return nil
}

type textColumn string

// Scan reads a text; NULL becomes "".
func (c *textColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = ""
	case string:
		*c = textColumn(v)
	case []byte:
		*c = textColumn(v)
	default:
		return fmt.Errorf("%T is no text", src)
	}
	return nil
}

type jsonColumn json.RawMessage

// Scan reads a text and copies it; NULL becomes nil.
func (c *jsonColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = nil
	case string:
		*c = jsonColumn(v)
	case []byte:
		*c = jsonColumn(append([]byte(nil), v...))
	default:
		return fmt.Errorf("%T is no JSON text", src)
	}
	return nil
}
