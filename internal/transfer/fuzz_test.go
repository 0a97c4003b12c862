package transfer

import (
	"bytes"
	"context"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// FuzzReader gives the reader what it finds behind the compression: most of
// what a fuzzer makes of compressed bytes ends there.
func FuzzReader(f *testing.F) {
	const limit = 1 << 20
	var plain bytes.Buffer
	w, err := NewWriter(&plain, Header{Version: "v1", Schema: 3}, []Key{{Name: "k", Content: []byte("secret")}})
	if err != nil {
		f.Fatal(err)
	}
	table := Table{Name: "t", Columns: []Column{{"id", ID}, {"n", Integer}, {"x", Text}, {"at", Time}}}
	ctx := context.Background()
	row := Row{{Bytes: make([]byte, idLength)}, {Int: 5}, {Bytes: []byte("text")}, {Null: true}}
	for _, step := range []func() error{
		func() error { return w.Table(ctx, table) },
		func() error { return w.Row(ctx, row) },
		func() error { return w.EndTable(ctx) },
	} {
		if err := step(); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := w.Finish(); err != nil {
		f.Fatal(err)
	}
	unzip, err := zstd.NewReader(nil)
	if err != nil {
		f.Fatal(err)
	}
	defer unzip.Close()
	records, err := unzip.DecodeAll(plain.Bytes()[len(magic):], nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(records)
	f.Add([]byte{recordHeader, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add(append([]byte{recordHeader, 2, '{', '}', recordTable, 0xff, 0xff, 3}, records...))
	f.Fuzz(func(t *testing.T, records []byte) {
		var file bytes.Buffer
		file.WriteString(magic)
		zip, err := zstd.NewWriter(&file, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := zip.Write(records); err != nil {
			t.Fatal(err)
		}
		if err := zip.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := newReader(&file, limit)
		if err != nil {
			return
		}
		defer r.Close()
		summer := &Summer{Next: Discard{}}
		sums, err := r.Send(ctx, summer)
		if cap(r.raw) > 2*(limit+readStep) {
			t.Errorf("%d bytes of input made the reader take %d bytes for a row", len(records), cap(r.raw))
		}
		// What is taken for whole is what it says.
		if err == nil {
			if err := sums.Compare(summer.Sums()); err != nil {
				t.Error(err)
			}
		}
	})
}

// Memory grows with what is there, not with what a length says.
func TestLengthsAreNotBelieved(t *testing.T) {
	t.Parallel()
	r := &Reader{maxRow: maxRow}
	r.in = newBuffered(bytes.NewReader([]byte("only these")))
	if err := r.bytes(MaxValue); err == nil {
		t.Error("a gigabyte was read out of ten bytes")
	}
	if cap(r.raw) > 4*readStep {
		t.Errorf("%d bytes were taken for ten", cap(r.raw))
	}
	for _, n := range []uint64{MaxValue + 1, 1 << 62, 1<<64 - 1} {
		if err := r.bytes(n); err == nil {
			t.Errorf("a value of %d bytes is allowed", n)
		}
	}
}
