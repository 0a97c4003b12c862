package store

import (
	"fmt"
	"testing"
)

// TestMoreStatementsThanAreKept runs more different statements than a connection
// keeps prepared, the first and the last of them twice.
func TestMoreStatementsThanAreKept(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	const all = maxPrepared + 10
	numbers := []int{1, all}
	for n := range all {
		numbers = append(numbers, n+1)
	}
	err := s.write(t.Context(), "make a table", func(t *tx) error { return t.now(`CREATE TABLE kept (n INTEGER, v TEXT)`) })
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		err := s.write(t.Context(), "insert", func(t *tx) error {
			changed, err := t.exec(fmt.Sprintf(`INSERT INTO kept (n, v) VALUES (%d, ?), (?, 'b')`, n), "a", n)
			if err == nil && changed != 2 {
				err = fmt.Errorf("%d rows changed, not 2", changed)
			}
			return err
		})
		if err != nil {
			t.Fatalf("statement %d: %v", n, err)
		}
	}
	var rows, sum int
	err = s.write(t.Context(), "look", func(t *tx) error {
		l := t.conn.link.(*preparedLink)
		if len(l.direct) > maxPrepared {
			return fmt.Errorf("%d statements are kept", len(l.direct))
		}
		_, err := t.one(`SELECT COUNT(*), SUM(n) FROM kept WHERE v IN ('a', 'b')`, nil, &rows, &sum)
		return err
	})
	if want := all*(all+1) + 2*(1+all); err != nil || rows != 2*len(numbers) || sum != want {
		t.Errorf("%d rows with the sum %d, %v; want %d with %d", rows, sum, err, 2*len(numbers), want)
	}
}

// TestNothingOfAStatementStays: what a request sent, which may be large and secret,
// does not outlive its statement in the memory that the next one uses.
func TestNothingOfAStatementStays(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	err := s.write(t.Context(), "change nothing", func(t *tx) error {
		return t.later(`UPDATE namespaces SET id = id WHERE id = ?`, "a word")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), "look", func(t *tx) error {
		values := t.conn.link.(*preparedLink).values
		for _, v := range values[:cap(values)] {
			if v.Value != nil {
				return fmt.Errorf("the value %v stayed", v.Value)
			}
		}
		statements := t.conn.spare
		for _, s := range statements[:cap(statements)] {
			if s.text != "" || s.values != nil {
				return fmt.Errorf("the statement %q stayed with %v", s.text, s.values)
			}
		}
		if cap(values) == 0 || cap(statements) == 0 {
			return fmt.Errorf("nothing is used again")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
