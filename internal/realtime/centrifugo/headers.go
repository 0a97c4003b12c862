package centrifugo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gorilla/websocket"
)

// How this server answers when a header has a realtime token, which belongs into
// fields of their own: the end of a connection, and the refusal of a
// subscription. No other credential is needed to see them, so they show that
// headers arrive.
const (
	MisplacedCode    = 4502
	MisplacedRefusal = 452
)

// checkHeaders connects as the command line and libraries in browsers do, with
// the header inside of the first frame, and looks whether it reaches this server
// at the connect and at a subscribe. Where it is not asked at all the other
// checks tell.
func checkHeaders(ctx context.Context, url, token, channel string) error {
	header := map[string]string{"Authorization": "Bearer " + token}
	_, err := converse(ctx, url, command{"id": 1, "connect": command{"headers": header}})
	if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) && closed.Code == unauthorizedCode {
		return errHeaders("client.proxy.connect")
	}
	answer, err := converse(ctx, url,
		command{"id": 1, "connect": command{"headers": header, "token": token}},
		command{"id": 2, "subscribe": command{"channel": channel}},
	)
	var refusal struct{ Error apiError }
	if err == nil && json.Unmarshal(answer, &refusal) == nil && refusal.Error.Code == codeRefused {
		return errHeaders("channel.proxy.subscribe")
	}
	return nil
}

func errHeaders(proxy string) error {
	return fmt.Errorf("Centrifugo does not pass on the headers that the command line sends inside its first frame: add Authorization to emulated_headers of %s (and to http_headers for versions before 6.9), as 'flowwd centrifugo config' does", proxy) //nolint:staticcheck // a name
}

// command is a command of the client protocol.
type command map[string]any

// converse sends commands one after the other and returns the answer to the last
// one.
func converse(ctx context.Context, url string, commands ...command) (answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // the answers were read
	deadline, _ := ctx.Deadline()
	if err := conn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	for _, c := range commands {
		if err := conn.WriteJSON(c); err != nil {
			return nil, err
		}
		if _, answer, err = conn.ReadMessage(); err != nil {
			return nil, err
		}
	}
	return answer, nil
}
