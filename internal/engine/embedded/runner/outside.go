package runner

import (
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
)

// outside lets the code of a run ask the server, over the pipes.
type outside struct {
	c *child
	// asked says that this run has asked: the frame that holds its event must
	// outlive those with replies.
	asked bool
}

var _ realm.Outside = (*outside)(nil)

// Ask sends a question. Numbers go on from run to run, so that a reply that
// comes late is nobody's.
func (o *outside) Ask(q realm.Question) (uint64, error) {
	if size := len(q.Head) + len(q.Body); size > bridge.MaxAsk {
		return 0, fmt.Errorf("the request has %d bytes; at most %d are allowed", size, bridge.MaxAsk)
	}
	if !o.asked {
		o.asked = true
		o.c.in.from.Keep()
	}
	o.c.asked++
	ask := bridge.Ask{ID: o.c.asked, Name: q.Name, Head: []byte(q.Head), Body: q.Body}
	return ask.ID, o.c.out.send(ask.Append)
}

// Pull asks for the next part of an answer.
func (o *outside) Pull(id uint64) error {
	return o.c.out.send(func(b []byte) []byte { return bridge.AppendPull(b, id) })
}

// Cancel gives an answer up.
func (o *outside) Cancel(id uint64) error {
	return o.c.out.send(func(b []byte) []byte { return bridge.AppendCancel(b, id) })
}

// Wait returns the next reply. The server sends nothing else during a run.
func (o *outside) Wait(within time.Duration) (*realm.Reply, error) {
	var f frame
	if within < 0 {
		f = o.c.in.next()
	} else if got, ok := o.c.in.within(within); ok {
		f = got
	} else {
		return nil, nil
	}
	if f.err != nil {
		return nil, fmt.Errorf("read a reply: %w", f.err)
	}
	if f.kind != bridge.KindReply {
		return nil, errors.New("a frame during a run that is no reply")
	}
	r, err := bridge.ParseReply(f.payload)
	if err != nil {
		return nil, err
	}
	return &realm.Reply{ID: r.ID, Last: r.Last, Failed: r.Failed, Head: string(r.Head), Body: r.Body}, nil
}
