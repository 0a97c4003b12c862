package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// idle is how long a client may send nothing, or take nothing.
	idle = time.Minute
	// manifestSize bounds a manifest: what the specification asks registries for at
	// least, and most take at most.
	manifestSize = 4 << 20
	// measured is how much is received between two looks at what the organization
	// keeps: others of it may push at the same time.
	measured = 32 << 20
)

// errTooMuch ends a body.
var errTooMuch = errors.New("the body is larger than what the organization may keep")

// upload is a body that ends when its client is too slow or sends too much.
type upload struct {
	io.ReadCloser
	// slow ends the body; each read puts it off. Nil for none.
	slow *time.Timer
	// left is how much may come, and unmeasured what came since it was found.
	left, unmeasured int64
	// measure finds left anew; nil when it stays.
	measure func() (left int64, err error)
	// exceeded says that more came.
	exceeded atomic.Bool
}

// newUpload lifts the server's deadline, which is for small bodies, and bounds
// the silence of the client instead.
func newUpload(w http.ResponseWriter, body io.ReadCloser, left int64) *upload {
	if body == nil || body == http.NoBody {
		return &upload{ReadCloser: http.NoBody}
	}
	// A writer that has no deadlines needs none moved.
	deadlines := http.NewResponseController(w)
	_ = deadlines.SetReadDeadline(time.Time{})
	return &upload{ReadCloser: body, left: left, slow: time.AfterFunc(idle, func() {
		_ = deadlines.SetReadDeadline(time.Unix(1, 0))
	})}
}

// end is to be called when the request was answered.
func (u *upload) end() {
	if u.slow != nil {
		u.slow.Stop()
	}
}

func (u *upload) Read(p []byte) (int, error) {
	if u.exceeded.Load() {
		return 0, errTooMuch
	}
	if u.slow != nil {
		u.slow.Reset(idle)
	}
	n, err := u.ReadCloser.Read(p)
	// The client waits now, for as long as the storage takes.
	u.end()
	u.left -= int64(n)
	u.unmeasured += int64(n)
	if u.measure != nil && u.unmeasured >= measured {
		left, failed := u.measure()
		if failed != nil {
			return n, fmt.Errorf("measure what the organization keeps: %w", failed)
		}
		u.left, u.unmeasured = left, 0
	}
	if u.left < 0 {
		u.exceeded.Store(true)
		return 0, errTooMuch
	}
	return n, err
}
