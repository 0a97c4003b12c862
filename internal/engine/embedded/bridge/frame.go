package bridge

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Version is the version of the frames. Server and child are the same binary,
// so that it differs only when something replaced the file meanwhile.
const Version = 1

// Kind says what a frame holds.
type Kind uint8

// The kinds of frames.
const (
	KindHello Kind = iota + 1
	KindProgram
	KindRun
	KindDefine
	KindCompile
	KindLog
	KindDone
	KindFailed
	KindDefined
	KindCompiled
)

// headerSize is the length of the payload and its kind.
const headerSize = 5

// Begin appends the header of a frame whose payload is appended next; End
// fills in its length. The returned mark is for End.
func Begin(b []byte, kind Kind) (buf []byte, mark int) {
	return append(b, 0, 0, 0, 0, byte(kind)), len(b)
}

// End completes the frame that was begun at mark.
func End(b []byte, mark int) []byte {
	binary.LittleEndian.PutUint32(b[mark:], uint32(len(b)-mark-headerSize))
	return b
}

// Reader reads frames.
type Reader struct {
	from io.Reader
	// limit gives the longest payload of a kind; 0 for a kind that must not
	// come.
	limit func(Kind) int
	head  [headerSize]byte
	buf   []byte
}

// NewReader returns a reader of frames whose payloads are within limit.
func NewReader(from io.Reader, limit func(Kind) int) *Reader {
	return &Reader{from: from, limit: limit}
}

// spare is the largest buffer that a Reader keeps for the next frame.
const spare = 256 << 10

// Next returns the next frame. The payload is valid until the next call. The
// error is io.EOF when the pipe was closed between two frames.
func (r *Reader) Next() (Kind, []byte, error) {
	kind, n, err := r.Header()
	if err != nil {
		return 0, nil, err
	}
	payload, err := r.Payload(n)
	return kind, payload, err
}

// Header returns the kind and the size of the next frame. It leaves the payload
// of the one before as it is.
func (r *Reader) Header() (Kind, int, error) {
	if _, err := io.ReadFull(r.from, r.head[:]); err != nil {
		return 0, 0, err
	}
	n, kind := int(binary.LittleEndian.Uint32(r.head[:])), Kind(r.head[4])
	if limit := r.limit(kind); limit == 0 {
		return 0, 0, fmt.Errorf("a frame of kind %d is not expected here", kind)
	} else if n > limit {
		return 0, 0, fmt.Errorf("a frame of kind %d has %d bytes; at most %d are allowed", kind, n, limit)
	}
	return kind, n, nil
}

// Payload reads the n bytes that belong to the last header. They are valid
// until the next call. Memory grows with what comes, not with what was
// announced.
func (r *Reader) Payload(n int) ([]byte, error) {
	const step = 1 << 20
	if cap(r.buf) > spare && n <= spare {
		r.buf = nil
	}
	r.buf = r.buf[:0]
	for len(r.buf) < n {
		have, want := len(r.buf), min(n-len(r.buf), max(step, len(r.buf)))
		if cap(r.buf) < have+want {
			grown := make([]byte, have, have+want)
			copy(grown, r.buf)
			r.buf = grown
		}
		r.buf = r.buf[:have+want]
		if _, err := io.ReadFull(r.from, r.buf[have:]); err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		} else if err != nil {
			return nil, err
		}
	}
	return r.buf, nil
}
