package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// maxEvent bounds one event: a result of 1 MB, and its text in JSON.
const maxEvent = 8 << 20

// errMalformed is a stream that is no stream of server-sent events.
var errMalformed = errors.New("the server sent something else than events")

// serverEvent is one server-sent event.
type serverEvent struct {
	id, name string
	data     []byte
	// retry is set where the server asks for it.
	retry time.Duration
}

// eventReader reads a stream of server-sent events (HTML standard, 9.2).
type eventReader struct {
	lines *bufio.Scanner
}

func newEventReader(r io.Reader) *eventReader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	return &eventReader{lines}
}

// next returns the next event that has data or asks for a wait. io.EOF at the
// end; an event that the end cuts off does not count.
func (r *eventReader) next() (serverEvent, error) {
	var event serverEvent
	var data [][]byte
	size := 0
	for r.lines.Scan() {
		line := r.lines.Bytes()
		if len(line) == 0 {
			if data == nil && event.retry == 0 {
				event = serverEvent{}
				continue
			}
			event.data = bytes.Join(data, []byte("\n"))
			return event, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "id":
			event.id = string(value)
		case "event":
			event.name = string(value)
		case "data":
			if size += len(value); size > maxEvent {
				return serverEvent{}, fmt.Errorf("%w: one has more than %d bytes", errMalformed, maxEvent)
			}
			data = append(data, bytes.Clone(value))
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
				event.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
	switch err := r.lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return serverEvent{}, fmt.Errorf("%w: a line has more than %d bytes", errMalformed, maxEvent)
	case err != nil:
		return serverEvent{}, err
	default:
		return serverEvent{}, io.EOF
	}
}
