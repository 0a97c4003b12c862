package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Writer is a Sink that writes a file. Finish must be called in the end.
type Writer struct {
	zip    *zstd.Encoder
	total  hash.Hash // of all records but the rows
	table  hash.Hash // of the open table's rows
	open   Table
	rows   int64
	sums   Sums
	buffer []byte
}

var _ Sink = (*Writer)(nil)

// NewWriter begins a file on w, which the caller closes.
func NewWriter(w io.Writer, h Header, keys []Key) (*Writer, error) {
	if _, err := io.WriteString(w, magic); err != nil {
		return nil, err
	}
	// One thread: a server may be at work on the same machine.
	zip, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(maxWindow/4))
	if err != nil {
		return nil, fmt.Errorf("begin to compress: %w", err)
	}
	out := &Writer{zip: zip, total: sha256.New()}
	header, err := json.Marshal(headerRecord(h))
	if err == nil {
		err = out.record(recordHeader, header)
	}
	for _, key := range keys {
		if err == nil {
			err = out.key(key)
		}
	}
	if err != nil {
		return nil, errors.Join(err, zip.Close())
	}
	return out, nil
}

func (w *Writer) key(k Key) error {
	if !keyName.MatchString(k.Name) || len(k.Content) > maxKey {
		return fmt.Errorf("the key %q with %d bytes can't stand in a backup", k.Name, len(k.Content))
	}
	return w.record(recordKey, []byte(k.Name), k.Content)
}

// record writes a record that the total covers: its type and its parts, each
// behind its length.
func (w *Writer) record(kind byte, parts ...[]byte) error {
	w.buffer = append(w.buffer[:0], kind)
	for _, part := range parts {
		w.buffer = binary.AppendUvarint(w.buffer, uint64(len(part)))
		w.buffer = append(w.buffer, part...)
	}
	return w.flush(w.total)
}

// flush writes the buffer and adds it to a sum.
func (w *Writer) flush(into hash.Hash) error {
	into.Write(w.buffer) // never fails
	_, err := w.zip.Write(w.buffer)
	return err
}

// Table implements Sink.
func (w *Writer) Table(_ context.Context, t Table) error {
	record, err := encodeTable(t)
	if err != nil {
		return err
	}
	w.open, w.rows, w.table = t, 0, sha256.New()
	return w.record(recordTable, record)
}

// Row implements Sink.
func (w *Writer) Row(_ context.Context, r Row) (err error) {
	if w.buffer, err = appendRow(w.buffer[:0], w.open.Columns, r); err != nil {
		return fmt.Errorf("table %s: %w", w.open.Name, err)
	}
	w.rows++
	if _, err := w.zip.Write([]byte{recordRow}); err != nil {
		return err
	}
	return w.flush(w.table)
}

// EndTable implements Sink.
func (w *Writer) EndTable(context.Context) error {
	sum := Sum{Table: w.open.Name, Rows: w.rows}
	w.table.Sum(sum.SHA256[:0])
	w.sums = append(w.sums, sum)
	w.buffer = binary.AppendUvarint(append(w.buffer[:0], recordSum), uint64(sum.Rows))
	w.buffer = append(w.buffer, sum.SHA256[:]...)
	return w.flush(w.total)
}

// Finish writes the end and returns the sums of what was written.
func (w *Writer) Finish() (Sums, error) {
	w.buffer = append(w.buffer[:0], recordEnd)
	w.total.Write(w.buffer)
	w.buffer = w.total.Sum(w.buffer)
	_, err := w.zip.Write(w.buffer)
	return w.sums, errors.Join(err, w.zip.Close())
}

// Abandon frees what the Writer holds when the file is given up.
func (w *Writer) Abandon() { _ = w.zip.Close() }
