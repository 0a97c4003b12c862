package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
)

// Sum is what a table's content comes down to. Two tables with equal sums have
// equal rows.
type Sum struct {
	Table  string
	Rows   int64
	SHA256 [sha256.Size]byte
}

// Sums are the sums of tables, in the order of their transfer.
type Sums []Sum

// Rows is the number of rows of all tables.
func (s Sums) Rows() (n int64) {
	for _, one := range s {
		n += one.Rows
	}
	return n
}

// Compare returns an error that names each table whose content is not the same
// in both; nil when all are equal.
func (s Sums) Compare(other Sums) error {
	var different []error
	theirs := make(map[string]Sum, len(other))
	for _, one := range other {
		theirs[one.Table] = one
	}
	for _, mine := range s {
		their, ok := theirs[mine.Table]
		delete(theirs, mine.Table)
		switch {
		case !ok:
			different = append(different, fmt.Errorf("table %s is missing in the copy", mine.Table))
		case mine.Rows != their.Rows:
			different = append(different, fmt.Errorf("table %s has %d rows, and %d in the copy", mine.Table, mine.Rows, their.Rows))
		case mine.SHA256 != their.SHA256:
			different = append(different, fmt.Errorf("table %s has other rows in the copy (SHA-256 %x…, and %x…)", mine.Table, mine.SHA256[:4], their.SHA256[:4]))
		}
	}
	for _, their := range other {
		if _, left := theirs[their.Table]; left {
			different = append(different, fmt.Errorf("table %s is only in the copy", their.Table))
		}
	}
	return errors.Join(different...)
}

// Summer is a Sink that sums what passes through it to the next one.
type Summer struct {
	// Next takes what has been summed.
	Next    Sink
	sums    Sums
	table   Table
	rows    int64
	hash    hash.Hash
	encoded []byte
}

var _ Sink = (*Summer)(nil)

// Sums returns the sums of the tables that have ended.
func (s *Summer) Sums() Sums { return s.sums }

// Table implements Sink.
func (s *Summer) Table(ctx context.Context, t Table) error {
	s.table, s.rows, s.hash = t, 0, sha256.New()
	return s.Next.Table(ctx, t)
}

// Row implements Sink.
func (s *Summer) Row(ctx context.Context, r Row) (err error) {
	if s.encoded, err = appendRow(s.encoded[:0], s.table.Columns, r); err != nil {
		return fmt.Errorf("table %s: %w", s.table.Name, err)
	}
	s.rows++
	s.hash.Write(s.encoded) // never fails
	return s.Next.Row(ctx, r)
}

// EndTable implements Sink.
func (s *Summer) EndTable(ctx context.Context) error {
	sum := Sum{Table: s.table.Name, Rows: s.rows}
	s.hash.Sum(sum.SHA256[:0])
	s.sums = append(s.sums, sum)
	return s.Next.EndTable(ctx)
}

// Discard is a Sink that takes everything and keeps nothing.
type Discard struct{}

var _ Sink = Discard{}

// Table implements Sink.
func (Discard) Table(context.Context, Table) error { return nil }

// Row implements Sink.
func (Discard) Row(context.Context, Row) error { return nil }

// EndTable implements Sink.
func (Discard) EndTable(context.Context) error { return nil }
