package route

import (
	"bufio"
	"net"
	"net/http"
)

// response notes what was answered. Its other abilities (flush, deadlines) are
// reached by http.ResponseController through Unwrap.
type response struct {
	http.ResponseWriter
	// status is 0 before the header was written.
	status int
	bytes  int64
}

func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Hijack hands the connection over to a handler that speaks another protocol on
// it, which looks for this method and does not unwrap.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buffer, err
}

// Flush pushes out what was written, for handlers that look for this method and
// do not unwrap.
func (w *response) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }
