package route

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/usefloww/flowwd/internal/fault"
)

// A Content-Length gets memory before its bytes are there: so much at first, and
// then so many times what has come. Ten thousand clients that announce a large body
// and send it slowly must not take ten thousand large bodies of memory.
const (
	trusted      = 4 << 10
	trustedTimes = 8
)

// readBody reads a body of at most limit bytes into memory of its own.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	body := http.MaxBytesReader(w, r.Body, limit)
	err := readAnnounced(&b, body, r.ContentLength)
	if err == nil {
		_, err = b.ReadFrom(body)
	}
	var large *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil:
		return b.Bytes(), nil
	case errors.As(err, &large):
		return nil, tooLarge(limit)
	case errors.As(err, &network) && network.Timeout():
		return nil, fault.New(fault.Invalid, "The body of the request did not arrive in time")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fault.New(fault.Invalid, "The body of the request ended early")
	case r.Context().Err() != nil:
		return nil, errClientGone
	default:
		return nil, fault.Because(err, fault.Invalid, "The body of the request can't be read")
	}
}

// readAnnounced reads so many bytes, or fewer when there are no more.
func readAnnounced(b *bytes.Buffer, body io.Reader, length int64) error {
	for length > 0 {
		part := min(length, max(trusted, (trustedTimes-1)*int64(b.Len())))
		// The reader wants room beyond the end to see that it is there.
		b.Grow(int(part) + bytes.MinRead)
		n, err := io.CopyN(b, body, part)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		length -= n
	}
	return nil
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "The body of the request is too large: at most %d bytes are allowed here", limit)
}
