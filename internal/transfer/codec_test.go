package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/transfer"
)

// content is what a file holds, in memory.
type content struct {
	tables []transfer.Table
	rows   map[string][]transfer.Row
}

var _ transfer.Sink = (*content)(nil)

func (c *content) Table(_ context.Context, t transfer.Table) error {
	c.tables = append(c.tables, t)
	return nil
}

func (c *content) Row(_ context.Context, r transfer.Row) error {
	kept := make(transfer.Row, len(r))
	for i, v := range r {
		kept[i] = transfer.Value{Null: v.Null, Int: v.Int, Bytes: bytes.Clone(v.Bytes)}
	}
	if c.rows == nil {
		c.rows = map[string][]transfer.Row{}
	}
	name := c.tables[len(c.tables)-1].Name
	c.rows[name] = append(c.rows[name], kept)
	return nil
}

func (c *content) EndTable(context.Context) error { return nil }

// send sends the content to a sink.
func (c *content) send(to transfer.Sink) error {
	ctx := context.Background()
	for _, t := range c.tables {
		if err := to.Table(ctx, t); err != nil {
			return err
		}
		for _, r := range c.rows[t.Name] {
			if err := to.Row(ctx, r); err != nil {
				return err
			}
		}
		if err := to.EndTable(ctx); err != nil {
			return err
		}
	}
	return nil
}

// write makes a file of the content.
func write(h transfer.Header, keys []transfer.Key, c *content) ([]byte, transfer.Sums, error) {
	var file bytes.Buffer
	w, err := transfer.NewWriter(&file, h, keys)
	if err != nil {
		return nil, nil, err
	}
	if err := c.send(w); err != nil {
		return nil, nil, err
	}
	sums, err := w.Finish()
	return file.Bytes(), sums, err
}

// read reads a whole file.
func read(file []byte) (transfer.Header, []transfer.Key, *content, transfer.Sums, error) {
	r, err := transfer.NewReader(iotest.HalfReader(bytes.NewReader(file)))
	if err != nil {
		return transfer.Header{}, nil, nil, nil, err
	}
	defer r.Close()
	c := &content{}
	sums, err := r.Send(context.Background(), c)
	return r.Header(), r.Keys(), c, sums, err
}

func drawValue(t *rapid.T, k transfer.Kind) transfer.Value {
	if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return transfer.Value{Null: true}
	}
	switch k {
	case transfer.ID:
		return transfer.Value{Bytes: rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")}
	case transfer.Bytes:
		return transfer.Value{Bytes: rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")}
	case transfer.Text:
		return transfer.Value{Bytes: []byte(rapid.String().Draw(t, "text"))}
	case transfer.Bool:
		return transfer.Value{Int: rapid.Int64Range(0, 1).Draw(t, "bool")}
	default:
		return transfer.Value{Int: rapid.Int64().Draw(t, "int")}
	}
}

func drawContent(t *rapid.T) *content {
	c := &content{rows: map[string][]transfer.Row{}}
	for i := range rapid.IntRange(0, 4).Draw(t, "tables") {
		table := transfer.Table{Name: fmt.Sprintf("t%d", i)}
		for j := range rapid.IntRange(1, 8).Draw(t, "columns") {
			table.Columns = append(table.Columns, transfer.Column{
				Name: fmt.Sprintf("c%d", j), Kind: transfer.Kind(rapid.IntRange(int(transfer.ID), int(transfer.Text)).Draw(t, "kind")),
			})
		}
		c.tables = append(c.tables, table)
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			row := make(transfer.Row, len(table.Columns))
			for k, column := range table.Columns {
				row[k] = drawValue(t, column.Kind)
			}
			c.rows[table.Name] = append(c.rows[table.Name], row)
		}
	}
	return c
}

func header() transfer.Header {
	return transfer.Header{Version: "v1", Database: "SQLite", Schema: 4, CreatedAt: time.Date(2026, 11, 25, 4, 0, 0, 1e6, time.UTC)}
}

// An empty value is nil or not, which makes no difference.
var alike = cmp.Transformer("empty", func(b []byte) string { return string(b) })

// What is written is what is read, and both sums are those of the rows.
func TestFilesHoldWhatWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t)
		keys := []transfer.Key{{Name: "metrics-token", Content: rapid.SliceOf(rapid.Byte()).Draw(t, "key")}}
		file, written, err := write(header(), keys, c)
		if err != nil {
			t.Fatal(err)
		}
		h, gotKeys, got, sums, err := read(file)
		if err != nil {
			t.Fatal(err)
		}
		summer := &transfer.Summer{Next: transfer.Discard{}}
		if err := got.send(summer); err != nil {
			t.Fatal(err)
		}
		for what, diff := range map[string]string{
			"header":              cmp.Diff(header(), h),
			"keys":                cmp.Diff(keys, gotKeys, alike),
			"tables":              cmp.Diff(c.tables, got.tables),
			"sums":                cmp.Diff(written, sums),
			"sums of what we got": cmp.Diff(written, summer.Sums()),
		} {
			if diff != "" {
				t.Errorf("%s (-written +read):\n%s", what, diff)
			}
		}
		for _, table := range c.tables {
			if diff := cmp.Diff(c.rows[table.Name], got.rows[table.Name], alike); diff != "" {
				t.Errorf("rows of %s (-written +read):\n%s", table.Name, diff)
			}
		}
	})
}

// sample is a small file with something of everything.
func sample(t testing.TB) []byte {
	t.Helper()
	c := &content{
		tables: []transfer.Table{
			{Name: "a", Columns: []transfer.Column{{Name: "id", Kind: transfer.ID}, {Name: "n", Kind: transfer.Integer}, {Name: "text", Kind: transfer.Text}}},
			{Name: "b", Columns: []transfer.Column{{Name: "at", Kind: transfer.Time}, {Name: "yes", Kind: transfer.Bool}, {Name: "data", Kind: transfer.Bytes}}},
		},
		rows: map[string][]transfer.Row{
			"a": {
				{{Bytes: []byte("0123456789abcdef")}, {Int: -7}, {Bytes: []byte("héllo")}},
				{{Bytes: []byte("0123456789abcdeg")}, {Null: true}, {Bytes: nil}},
			},
			"b": {{{Int: 1764043200000}, {Int: 1}, {Bytes: bytes.Repeat([]byte{0xa5, 1}, 300)}}},
		},
	}
	file, _, err := write(header(), []transfer.Key{{Name: "metrics-token", Content: []byte("sixteen characters")}}, c)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// No file that was cut off or changed anywhere is taken for whole.
func TestDamagedFilesAreRefused(t *testing.T) {
	t.Parallel()
	file := sample(t)
	if _, _, _, _, err := read(file); err != nil {
		t.Fatal(err)
	}
	for n := range file {
		if _, _, _, _, err := read(file[:n]); err == nil {
			t.Errorf("a file of %d bytes is read without an error when only %d of them are there", len(file), n)
		}
	}
	for n := range file {
		for _, bit := range []byte{1, 0x80} {
			changed := bytes.Clone(file)
			changed[n] ^= bit
			if _, _, _, _, err := read(changed); err == nil {
				t.Errorf("a file is read without an error when bit %#x of byte %d is wrong", bit, n)
			}
		}
	}
	if _, _, _, _, err := read(append(bytes.Clone(file), 0)); !errors.Is(err, transfer.ErrDamaged) {
		t.Errorf("a file with something behind its end: %v", err)
	}
	if _, _, _, _, err := read(append(bytes.Clone(file), file[len("flowwd-backup 1\n"):]...)); !errors.Is(err, transfer.ErrDamaged) {
		t.Errorf("a file that holds two: %v", err)
	}
}

func TestErrorsOfFilesSayWhatToDo(t *testing.T) {
	t.Parallel()
	file := sample(t)
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "this is no backup of flowwd"},
		{"text", []byte("Dear diary, today nothing happened."), "this is no backup of flowwd"},
		{"newer", append([]byte("flowwd-backup 2\n"), file[16:]...), "use the flowwd that made it, or a newer one"},
		{"cut off", file[:len(file)/2], "the backup is damaged: it ends too early; was it written and copied whole?"},
	} {
		if _, _, _, _, err := read(test.file); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	broken := errors.New("the disk is broken")
	_, err := transfer.NewReader(iotest.ErrReader(broken))
	if !errors.Is(err, broken) || errors.Is(err, transfer.ErrDamaged) {
		t.Errorf("a disk that can't be read is %v", err)
	}
}

// A key must not be written outside of the folder of keys.
func TestKeysAreFileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "..", "../x", "a/b", "/etc/passwd", "A", ".hidden"} {
		if _, err := transfer.NewWriter(&bytes.Buffer{}, header(), []transfer.Key{{Name: name}}); err == nil {
			t.Errorf("%q is taken for the name of a key", name)
		}
	}
}

func TestSumsAreCompared(t *testing.T) {
	t.Parallel()
	one := transfer.Sums{{Table: "a", Rows: 1}, {Table: "b", Rows: 2}, {Table: "c", SHA256: [32]byte{1}}}
	if err := one.Compare(one); err != nil {
		t.Errorf("equal sums differ: %v", err)
	}
	other := transfer.Sums{{Table: "b", Rows: 3}, {Table: "c", SHA256: [32]byte{2}}, {Table: "d"}}
	want := "table a is missing in the copy\n" +
		"table b has 2 rows, and 3 in the copy\n" +
		"table c has other rows in the copy (SHA-256 01000000…, and 02000000…)\n" +
		"table d is only in the copy"
	if err := one.Compare(other); err == nil || err.Error() != want {
		t.Errorf("got %v, want\n%s", err, want)
	}
}
