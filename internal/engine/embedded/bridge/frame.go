package bridge

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Version is the version of the frames. Server and child are the same binary,
// so that it differs only when something replaced the file meanwhile.
const Version = 3

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
	KindAsk
	KindPull
	KindCancel
	KindReply
	kinds
)

// Bounds are the longest payloads that may come, in bytes, by kind. A kind with
// zero must not come.
type Bounds [kinds]int

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
	// Bounds are those of the next frame.
	Bounds Bounds

	from io.Reader
	head [headerSize]byte
	buf  []byte
}

// NewReader returns a reader of frames.
func NewReader(from io.Reader, bounds Bounds) *Reader {
	return &Reader{Bounds: bounds, from: from}
}

// spare is the largest buffer that a Reader keeps for the next frame.
const spare = 256 << 10

// Next returns the next frame. The payload is valid until the next call. The
// error is io.EOF when the pipe was closed between two frames.
func (r *Reader) Next() (Kind, []byte, error) {
	if _, err := io.ReadFull(r.from, r.head[:]); err != nil {
		return 0, nil, err
	}
	n, kind := int(binary.LittleEndian.Uint32(r.head[:])), Kind(r.head[4])
	if kind >= kinds || r.Bounds[kind] == 0 {
		return 0, nil, fmt.Errorf("a frame of kind %d is not expected here", kind)
	}
	if n > r.Bounds[kind] {
		return 0, nil, fmt.Errorf("a frame of kind %d has %d bytes; at most %d are allowed", kind, n, r.Bounds[kind])
	}
	payload, err := r.payload(n)
	return kind, payload, err
}

// Keep leaves the last payload to whom it was given: it stays valid.
func (r *Reader) Keep() { r.buf = nil }

// payload reads n bytes. Memory grows with what comes, not with what was
// announced.
func (r *Reader) payload(n int) ([]byte, error) {
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
