package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// followers are clients that are subscribed to a channel each. They speak just
// so much of the client protocol as that takes, to leave the processors to the
// server.
type followers struct {
	conns []*websocket.Conn
	// heard takes the arrival of each event that tells that something was received.
	heard chan time.Time
	lost  atomic.Int64
	done  sync.WaitGroup
}

// connecting is how many clients connect at the same time.
const connecting = 64

// follow connects a client for each channel. No key may open more than some
// thousand connections, so several are used in turn.
func follow(ctx context.Context, s *server, keys, channels []string) (*followers, error) {
	f := &followers{heard: make(chan time.Time, 4*len(channels))}
	f.conns = make([]*websocket.Conn, len(channels))
	var failed error
	var once sync.Once
	next := make(chan int)
	var group sync.WaitGroup
	for range connecting {
		group.Go(func() {
			for i := range next {
				conn, err := subscribe(ctx, s, keys[i%len(keys)], channels[i])
				if err != nil {
					once.Do(func() { failed = fmt.Errorf("client %d: %w", i, err) })
					continue
				}
				f.conns[i] = conn
			}
		})
	}
	for i := range channels {
		next <- i
	}
	close(next)
	group.Wait()
	if failed != nil {
		f.close()
		return nil, failed
	}
	for _, conn := range f.conns {
		f.done.Go(func() { f.listen(conn) })
	}
	return f, nil
}

// subscribe opens a connection and a subscription.
func subscribe(ctx context.Context, s *server, key, channel string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{ReadBufferSize: 1024, WriteBufferSize: 256, HandshakeTimeout: 30 * time.Second}
	header := http.Header{"Authorization": {"Bearer " + key}}
	conn, _, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(s.url, "http")+"/ws/connection/websocket", header)
	if err != nil {
		return nil, err
	}
	for _, command := range []string{`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"` + channel + `"}}`} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(command)); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		_, answer, err := conn.ReadMessage()
		if err != nil || bytes.Contains(answer, []byte(`"error"`)) {
			return nil, errors.Join(fmt.Errorf("%s is answered %s", command, answer), err, conn.Close())
		}
	}
	return conn, nil
}

// listen reads until the connection ends.
func (f *followers) listen(conn *websocket.Conn) {
	received := []byte(`"webhook.received"`)
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			f.lost.Add(1)
			return
		}
		if bytes.Contains(frame, received) {
			f.heard <- time.Now()
		}
		for line := range bytes.Lines(frame) {
			if len(line) <= len("{}\n") { // a ping
				_ = conn.WriteMessage(websocket.TextMessage, []byte("{}")) // an end is seen by the next read
			}
		}
	}
}

// all waits until n clients have heard of an event and returns how long after
// its sending each did.
func (f *followers) all(ctx context.Context, n int, sent time.Time) (latencies, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	took := make(latencies, 0, n)
	for len(took) < n {
		select {
		case at := <-f.heard:
			took = append(took, at.Sub(sent))
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d clients have heard of an event, %d were cut off", len(took), n, f.lost.Load())
		}
	}
	return took, nil
}

func (f *followers) close() {
	for _, conn := range f.conns {
		if conn != nil {
			_ = conn.Close() // the measurement is over
		}
	}
	f.done.Wait()
}
