package route

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/usefloww/flowwd/internal/fault"
)

// trusted is how much memory a Content-Length gets before its bytes are there.
const trusted = 1 << 20

// readBody reads a body of at most limit bytes into memory of its own.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	if r.ContentLength > 0 {
		// The reader wants room beyond the end to see that it is there.
		b.Grow(int(min(r.ContentLength, trusted)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
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

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "The body of the request is too large: at most %d bytes are allowed here", limit)
}
