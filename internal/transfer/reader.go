package transfer

import (
	"bufio"
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

// Reader reads a file that Writer wrote. It trusts nothing in it: memory grows
// with the data that is really there, up to one row of the largest values.
type Reader struct {
	file   *source
	unzip  *zstd.Decoder
	in     *bufio.Reader
	total  hash.Hash
	header Header
	keys   []Key
	// next is the type of the next record, which has been read.
	next byte
	// raw is what the record that is being read is made of.
	raw []byte
	// maxRow bounds raw.
	maxRow int
}

// maxRow is the largest row: some values of the greatest size.
const maxRow = 2 * MaxValue

// NewReader reads the beginning of a file: its header and its keys.
func NewReader(r io.Reader) (*Reader, error) { return newReader(r, maxRow) }

func newReader(r io.Reader, maxRow int) (*Reader, error) {
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(r, begin); err != nil && !isEnd(err) {
		return nil, err
	}
	switch text := string(begin); {
	case text == magic:
	case text[:len(magicName)] == magicName:
		return nil, fmt.Errorf("the backup has format %.1q, and this flowwd reads 1: use the flowwd that made it, or a newer one", text[len(magicName):])
	default:
		return nil, errors.New("this is no backup of flowwd")
	}
	file := &source{Reader: r}
	unzip, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, damaged("%v", err)
	}
	in := &Reader{file: file, unzip: unzip, in: newBuffered(unzip), total: sha256.New(), maxRow: maxRow}
	if err := in.begin(); err != nil {
		in.Close()
		return nil, in.explain(err)
	}
	return in, nil
}

// Close frees what the Reader holds. The caller closes the file.
func (r *Reader) Close() { r.unzip.Close() }

// Header returns where the file comes from.
func (r *Reader) Header() Header { return r.header }

// Keys returns the keys in the file.
func (r *Reader) Keys() []Key { return r.keys }

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// explain says of an error about the content what it means.
func (r *Reader) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrDamaged):
		return err
	case r.file.err != nil:
		return r.file.err
	case isEnd(err):
		return damaged("it ends too early; was it written and copied whole?")
	}
	return damaged("%v", err)
}

// source is the file behind a Reader. It keeps the error of reading it apart
// from those that its content causes.
type source struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(into []byte) (int, error) {
	n, err := s.Reader.Read(into)
	if err != nil && !isEnd(err) {
		s.err = fmt.Errorf("read the backup: %w", err)
	}
	return n, err
}

func (r *Reader) begin() error {
	if err := r.want(); err != nil {
		return err
	}
	if r.next != recordHeader {
		return damaged("it does not begin with its header")
	}
	text, err := r.part(maxHeader)
	if err != nil {
		return err
	}
	var header headerRecord
	if err := json.Unmarshal(text, &header); err != nil {
		return damaged("its header can't be read (%v)", err)
	}
	r.header = Header(header)
	for {
		r.cover()
		if err := r.want(); err != nil || r.next != recordKey {
			return err
		}
		if err := r.key(); err != nil {
			return err
		}
	}
}

func (r *Reader) key() error {
	if len(r.keys) == maxKeys {
		return damaged("it has more than %d keys", maxKeys)
	}
	text, err := r.part(maxKey)
	if err != nil {
		return err
	}
	name := string(text)
	if !keyName.MatchString(name) {
		return damaged("%.80q is no name of a key", name)
	}
	content, err := r.part(maxKey)
	if err == nil {
		r.keys = append(r.keys, Key{Name: name, Content: append([]byte(nil), content...)})
	}
	return err
}

// Send sends all tables to a sink, compares their sums with those in the file,
// and returns them. It can be called once. What the sink was given is only good
// when there is no error.
func (r *Reader) Send(ctx context.Context, to Sink) (Sums, error) {
	var sums Sums
	for r.next == recordTable {
		if len(sums) == maxTables {
			return nil, damaged("it has more than %d tables", maxTables)
		}
		sum, err := r.table(ctx, to)
		if err != nil {
			return nil, err
		}
		sums = append(sums, sum)
	}
	return sums, r.explain(r.end())
}

func (r *Reader) table(ctx context.Context, to Sink) (Sum, error) {
	text, err := r.part(maxHeader)
	if err != nil {
		return Sum{}, r.explain(err)
	}
	t, err := decodeTable(text)
	if err != nil {
		return Sum{}, err
	}
	r.cover()
	if err := to.Table(ctx, t); err != nil {
		return Sum{}, err
	}
	sum, err := r.rows(ctx, t, to)
	if err != nil {
		return Sum{}, err
	}
	if err := r.sum(sum); err != nil {
		return Sum{}, r.explain(err)
	}
	return sum, to.EndTable(ctx)
}

// rows reads the rows of a table up to the record that ends it.
func (r *Reader) rows(ctx context.Context, t Table, to Sink) (Sum, error) {
	sum, h := Sum{Table: t.Name}, sha256.New()
	row := make(Row, len(t.Columns))
	for {
		if err := r.want(); err != nil {
			return sum, r.explain(err)
		}
		if r.next != recordRow {
			h.Sum(sum.SHA256[:0])
			return sum, nil
		}
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		r.raw = r.raw[:0]
		if err := r.row(t, row); err != nil {
			return sum, r.explain(err)
		}
		h.Write(r.raw)
		sum.Rows++
		if err := to.Row(ctx, row); err != nil {
			return sum, err
		}
	}
}

// row reads the values of a row, which stay in raw.
func (r *Reader) row(t Table, into Row) error {
	type span struct{ from, to int }
	var spans [maxColumns]span // raw may move while it grows
	for i, c := range t.Columns {
		into[i] = Value{}
		set, err := r.byte()
		switch {
		case err != nil:
			return err
		case set == valueNull:
			into[i].Null = true
			continue
		case set != valueSet:
			return damaged("a row of table %.80s begins a value with %d", t.Name, set)
		}
		switch c.Kind {
		case Time, Bool, Integer:
			into[i].Int, err = binary.ReadVarint(byteReader{r})
		default:
			n := uint64(idLength)
			if c.Kind != ID {
				n, err = binary.ReadUvarint(byteReader{r})
			}
			if err == nil {
				spans[i].from = len(r.raw)
				err = r.bytes(n)
				spans[i].to = len(r.raw)
			}
		}
		if err != nil {
			return err
		}
	}
	for i, s := range spans[:len(into)] {
		if s.to > 0 {
			into[i].Bytes = r.raw[s.from:s.to:s.to]
		}
	}
	return nil
}

// sum compares the record that ends a table with what was read.
func (r *Reader) sum(got Sum) error {
	if r.next != recordSum {
		return damaged("table %.80s is followed by a record %q", got.Table, r.next)
	}
	rows, err := binary.ReadUvarint(byteReader{r})
	if err != nil {
		return err
	}
	from := len(r.raw)
	if err := r.bytes(sha256.Size); err != nil {
		return err
	}
	if int64(rows) != got.Rows {
		return damaged("table %.80s has %d rows where %d were written", got.Table, got.Rows, rows)
	}
	if [sha256.Size]byte(r.raw[from:]) != got.SHA256 {
		return damaged("the checksum of table %.80s is wrong", got.Table)
	}
	r.cover()
	return r.want()
}

// end reads the last record and makes sure that nothing follows it.
func (r *Reader) end() error {
	if r.next != recordEnd {
		return damaged("a record %q stands where a table or the end is expected", r.next)
	}
	r.cover()
	want := r.total.Sum(nil)
	if err := r.bytes(sha256.Size); err != nil {
		return err
	}
	if string(r.raw) != string(want) {
		return damaged("its checksum is wrong")
	}
	switch _, err := r.in.ReadByte(); {
	case err == nil:
		return damaged("something follows its end")
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// want reads the type of the next record.
func (r *Reader) want() (err error) {
	r.raw = r.raw[:0]
	r.next, err = r.byte()
	return err
}

// cover adds the record that was read to the total.
func (r *Reader) cover() {
	r.total.Write(r.raw)
	r.raw = r.raw[:0]
}

// part reads bytes behind their length, which stay valid until the next read.
func (r *Reader) part(limit uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(byteReader{r})
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, damaged("a part of %d bytes stands where at most %d are allowed", n, limit)
	}
	from := len(r.raw)
	err = r.bytes(n)
	return r.raw[from:], err
}

func (r *Reader) byte() (byte, error) {
	b, err := r.in.ReadByte()
	if err == nil {
		r.raw = append(r.raw, b)
	}
	return b, err
}

// readStep is how much is read before memory for more is taken.
const readStep = 1 << 20

// bytes reads n bytes into raw.
func (r *Reader) bytes(n uint64) error {
	if n > MaxValue || len(r.raw)+int(n) > r.maxRow {
		return damaged("a row has more than %d bytes", r.maxRow)
	}
	for left := int(n); left > 0; {
		step := min(left, readStep)
		from := len(r.raw)
		r.raw = append(r.raw, make([]byte, step)...)
		if _, err := io.ReadFull(r.in, r.raw[from:]); err != nil {
			return err
		}
		left -= step
	}
	return nil
}

// byteReader reads varints out of a Reader.
type byteReader struct{ *Reader }

// ReadByte implements io.ByteReader.
func (b byteReader) ReadByte() (byte, error) { return b.byte() }

func newBuffered(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 64<<10) }
