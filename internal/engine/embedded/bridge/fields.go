package bridge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

func appendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func appendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

func appendText[T ~string | ~[]byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

var errShort = errors.New("a frame ends too early")

// fields reads what the append functions wrote. After an error it returns zero
// values; done reports it.
type fields struct {
	b   []byte
	err error
}

func (f *fields) fail() { f.b, f.err = nil, errShort }

func (f *fields) uint() uint64 {
	v, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.fail()
		return 0
	}
	f.b = f.b[n:]
	return v
}

func (f *fields) int() int64 {
	v, n := binary.Varint(f.b)
	if n <= 0 {
		f.fail()
		return 0
	}
	f.b = f.b[n:]
	return v
}

func (f *fields) byte() byte {
	if len(f.b) == 0 {
		f.fail()
		return 0
	}
	v := f.b[0]
	f.b = f.b[1:]
	return v
}

// bytes returns a part of the payload, not a copy.
func (f *fields) bytes() []byte {
	n := f.uint()
	if n > uint64(len(f.b)) {
		f.fail()
		return nil
	}
	v := f.b[:n:n]
	f.b = f.b[n:]
	return v
}

// text returns a copy that is valid UTF-8.
func (f *fields) text() string { return strings.ToValidUTF8(string(f.bytes()), "\uFFFD") }

// number reads a number that fits an int, on all systems.
func (f *fields) number() int { return int(min(f.uint(), math.MaxInt32)) }

func (f *fields) bool() bool { return f.byte() != 0 }

// count reads the number of items that follow, each of at least one byte.
func (f *fields) count(limit int) int {
	n := f.uint()
	if n > uint64(len(f.b)) || n > uint64(limit) {
		if f.err == nil && n > uint64(limit) {
			f.b, f.err = nil, fmt.Errorf("a frame announces %d items; at most %d are allowed", n, limit)
			return 0
		}
		f.fail()
		return 0
	}
	return int(n)
}

// done returns the first error, or that something is left over.
func (f *fields) done() error {
	if f.err == nil && len(f.b) > 0 {
		f.err = fmt.Errorf("a frame has %d bytes too many", len(f.b))
	}
	return f.err
}
