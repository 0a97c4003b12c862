package transfer

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// records are what a small file holds behind its compression.
func records(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, Header{Version: "v1", Schema: 3}, []Key{{Name: "k", Content: []byte("secret")}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, step := range []func() error{
		func() error {
			return w.Table(ctx, Table{Name: "t", Columns: []Column{{"id", ID}, {"n", Integer}, {"x", Text}, {"at", Time}}})
		},
		func() error {
			return w.Row(ctx, Row{{Bytes: make([]byte, idLength)}, {Int: 5}, {Bytes: []byte("text")}, {Null: true}})
		},
		func() error { return w.EndTable(ctx) },
		func() error { _, err := w.Finish(); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	unzip, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unzip.Close()
	plain, err := unzip.DecodeAll(file.Bytes()[len(magic):], nil)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// packed makes a file of records.
func packed(t testing.TB, records []byte) *bytes.Buffer {
	t.Helper()
	var file bytes.Buffer
	file.WriteString(magic)
	zip, err := zstd.NewWriter(&file, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = zip.Write(records)
	if err := errors.Join(err, zip.Close()); err != nil {
		t.Fatal(err)
	}
	return &file
}

// The compression has checks of its own. Behind it, each bit is covered by the
// sums.
func TestChangedRecordsAreRefused(t *testing.T) {
	t.Parallel()
	send := func(records []byte) error {
		r, err := newReader(packed(t, records), maxRow)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.Send(context.Background(), Discard{})
		return err
	}
	whole := records(t)
	if err := send(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		for bit := range 8 {
			changed := bytes.Clone(whole)
			changed[n] ^= 1 << bit
			if err := send(changed); !errors.Is(err, ErrDamaged) {
				t.Errorf("with bit %d of byte %d wrong: %v", bit, n, err)
			}
		}
		if err := send(whole[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut off after %d bytes: %v", n, err)
		}
	}
	if err := send(append(bytes.Clone(whole), 'T')); !errors.Is(err, ErrDamaged) {
		t.Errorf("with a record behind the end: %v", err)
	}
}

// FuzzReader gives the reader what it finds behind the compression: most of
// what a fuzzer makes of compressed bytes ends there.
func FuzzReader(f *testing.F) {
	const limit = 1 << 20
	whole := records(f)
	f.Add(whole)
	f.Add([]byte{recordHeader, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add(append([]byte{recordHeader, 2, '{', '}', recordTable, 0xff, 0xff, 3}, whole...))
	f.Fuzz(func(t *testing.T, records []byte) {
		r, err := newReader(packed(t, records), limit)
		if err != nil {
			return
		}
		defer r.Close()
		summer := &Summer{Next: Discard{}}
		sums, err := r.Send(context.Background(), summer)
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
