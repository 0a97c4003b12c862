package ui

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/usefloww/flowwd/internal/fault"
)

// Problem returns how a page tells of an error that the reader can do something
// about; all others are returned.
func Problem(w http.ResponseWriter, err error) (status int, text string, rest error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		return 0, "", err
	}
	switch f.Kind {
	case fault.Invalid:
		status = http.StatusBadRequest
	case fault.Denied:
		status = http.StatusForbidden
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Conflict:
		status = http.StatusConflict
	case fault.Limited:
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(max(f.RetryAfter.Seconds(), 1)))))
	default:
		return 0, "", err
	}
	return status, Sentence(f.Message), nil
}
