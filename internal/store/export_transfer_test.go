package store

import (
	"context"
	"errors"

	"github.com/usefloww/flowwd/internal/transfer"
)

// Kinds returns what a transfer takes the columns of a database for, by
// table.column.
func Kinds(ctx context.Context, cfg Config) (_ map[string]transfer.Kind, err error) {
	s, err := OpenSnapshot(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	kinds := make(map[string]transfer.Kind)
	for _, t := range s.tables {
		for _, c := range t.columns {
			kinds[t.name+"."+c.Name] = c.Kind
		}
	}
	return kinds, nil
}
