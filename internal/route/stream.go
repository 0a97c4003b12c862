package route

import (
	"net/http"
	"time"
)

// StreamWriter sends parts of a stream to a client that must keep up.
type StreamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

// NewStreamWriter returns a StreamWriter that gives up on a client which does
// not take a part within timeout.
func NewStreamWriter(w http.ResponseWriter, timeout time.Duration) *StreamWriter {
	return &StreamWriter{w: w, control: http.NewResponseController(w), timeout: timeout}
}

// Send writes a part and pushes it out. After an error the stream is over.
func (s *StreamWriter) Send(part []byte) error {
	// A timer that moves the deadline into the past needs no clock, so that
	// this also holds where the server's clock is a test's.
	cut := time.AfterFunc(s.timeout, func() { _ = s.control.SetWriteDeadline(time.Unix(1, 0)) })
	defer cut.Stop()
	if _, err := s.w.Write(part); err != nil {
		return errClientGone
	}
	if err := s.control.Flush(); err != nil {
		return errClientGone
	}
	return nil
}
