package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/transfer"
)

// valueColumn reads a column as either database gives it.
type valueColumn struct {
	kind  transfer.Kind
	value *transfer.Value
}

var _ sql.Scanner = (*valueColumn)(nil)

// Scan implements sql.Scanner. An empty text or body is not NULL.
func (c *valueColumn) Scan(src any) error {
	*c.value = transfer.Value{Null: src == nil}
	if src == nil {
		return nil
	}
	switch c.kind {
	case transfer.ID:
		var x idColumn
		err := x.Scan(src)
		c.value.Bytes = x[:]
		return err
	case transfer.Bytes, transfer.Text:
		switch v := src.(type) {
		case []byte:
			c.value.Bytes = bytes.Clone(v)
			return nil
		case string:
			c.value.Bytes = []byte(v)
			return nil
		}
	case transfer.Time:
		var x timeColumn
		err := x.Scan(src)
		c.value.Int = time.Time(x).UnixMilli()
		return err
	case transfer.Bool:
		switch v := src.(type) {
		case int64:
			c.value.Int = v
			return nil
		case bool:
			if v {
				c.value.Int = 1
			}
			return nil
		}
	case transfer.Integer:
		if v, ok := src.(int64); ok {
			c.value.Int = v
			return nil
		}
	}
	return fmt.Errorf("%T is no %v", src, c.kind)
}

// bindable returns a value as dialects bind it. It is a copy.
func bindable(k transfer.Kind, v transfer.Value) (any, error) {
	if v.Null {
		return nil, nil
	}
	switch k {
	case transfer.ID:
		var x id.ID
		if len(v.Bytes) != len(x) {
			return nil, fmt.Errorf("an id has %d bytes", len(v.Bytes))
		}
		copy(x[:], v.Bytes)
		return x, nil
	case transfer.Bytes:
		return append([]byte{}, v.Bytes...), nil
	case transfer.Text:
		return string(v.Bytes), nil
	case transfer.Time:
		return time.UnixMilli(v.Int).UTC(), nil
	case transfer.Bool:
		return v.Int != 0, nil
	case transfer.Integer:
		return v.Int, nil
	}
	return nil, fmt.Errorf("no binding for %v", k)
}
