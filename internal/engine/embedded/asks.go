package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/engine/embedded/pool"
	"github.com/usefloww/flowwd/internal/tracing"
)

// Bounds of what one run may have under way.
const (
	// maxInFlight are the requests whose answer has not begun; others wait.
	maxInFlight = 100
	// maxOpen are the questions that are not over.
	maxOpen = 1000
	// maxPending is what those hold, in bytes.
	maxPending = 64 << 20
	// maxRefused are the questions beyond these whose refusal the code has not
	// heard: code that asks in a loop never listens.
	maxRefused = 100_000
)

// wholeBody is the length up to which a body comes with its head, and partSize
// that of a part of a longer one, in bytes.
const (
	wholeBody = 64 << 10
	partSize  = 256 << 10
)

// asks answers what the code of one run asks. Its methods but finish are called
// by the goroutine that reads the child's frames.
type asks struct {
	ctx    context.Context
	cancel context.CancelFunc
	fetch  *fetch.Client
	other  engine.Ask
	child  *pool.Child
	slots  chan struct{}
	done   sync.WaitGroup
	// sending is held while a frame is written.
	sending sync.Mutex

	mu      sync.Mutex
	open    map[uint64]*question
	pending int
	// refused are the questions that are still to be told that they are too many,
	// by a goroutine when refusing is set.
	refused  []refusal
	refusing bool
}

// refusal names a question that is not answered.
type refusal struct {
	id   uint64
	name string
}

// question is one that is not over.
type question struct {
	cancel context.CancelFunc
	// pulled holds that the code waits for the next part.
	pulled chan struct{}
	size   int
}

func newAsks(ctx context.Context, client *fetch.Client, child *pool.Child, other engine.Ask) *asks {
	ctx, cancel := context.WithCancel(ctx)
	return &asks{ctx: ctx, cancel: cancel, fetch: client, other: other, child: child, slots: make(chan struct{}, maxInFlight), open: map[uint64]*question{}}
}

// stop ends all that is under way and waits for it.
func (a *asks) stop() {
	a.cancel()
	a.done.Wait()
}

// take handles a frame of the child. An error is a rule that it broke.
func (a *asks) take(kind bridge.Kind, payload []byte) error {
	if kind == bridge.KindAsk {
		ask, err := bridge.ParseAsk(payload)
		if err != nil {
			return err
		}
		return a.begin(ask)
	}
	id, err := bridge.ParseID(payload)
	if err != nil {
		return err
	}
	a.mu.Lock()
	q := a.open[id]
	a.mu.Unlock()
	switch {
	case q == nil: // it ended meanwhile
	case kind == bridge.KindCancel:
		q.cancel()
	default:
		select {
		case q.pulled <- struct{}{}:
		default:
			return errors.New("it pulls a part that it waits for already")
		}
	}
	return nil
}

func (a *asks) begin(ask bridge.Ask) error {
	ctx, cancel := context.WithCancel(a.ctx)
	q := &question{cancel: cancel, pulled: make(chan struct{}, 1), size: len(ask.Head) + len(ask.Body)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[ask.ID] != nil {
		cancel()
		return fmt.Errorf("two questions have the number %d", ask.ID)
	}
	if len(a.open) >= maxOpen || a.pending+q.size > maxPending {
		cancel()
		return a.refuse(refusal{ask.ID, ask.Name})
	}
	a.open[ask.ID] = q
	a.pending += q.size
	a.done.Go(func() {
		defer a.end(ask.ID, q)
		if err := a.answer(ctx, ask, q); err != nil {
			a.fail(ctx, refusal{ask.ID, ask.Name}, err)
		}
	})
	return nil
}

// refuse has a question told that there are too many, without holding up the
// reader of the child's frames: the child may not read before it has written.
func (a *asks) refuse(r refusal) error {
	if len(a.refused) >= maxRefused {
		return fmt.Errorf("it has asked for %d things at once; await them", maxOpen+maxRefused)
	}
	a.refused = append(a.refused, r)
	if !a.refusing {
		a.refusing = true
		a.done.Go(a.tellRefusals)
	}
	return nil
}

func (a *asks) tellRefusals() {
	for {
		a.mu.Lock()
		told := a.refused
		a.refused, a.refusing = nil, len(told) > 0
		a.mu.Unlock()
		if len(told) == 0 {
			return
		}
		for _, r := range told {
			a.fail(a.ctx, r, fmt.Errorf("%d requests of this run are open, or they hold %d MB; read or cancel the bodies of their answers", maxOpen, maxPending>>20))
		}
	}
}

func (a *asks) end(id uint64, q *question) {
	q.cancel()
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, id)
	a.pending -= q.size
}

// reply sends a part, unless nobody wants it any more.
func (a *asks) reply(ctx context.Context, r bridge.Reply) {
	if ctx.Err() != nil {
		return
	}
	a.sending.Lock()
	defer a.sending.Unlock()
	// A child that takes nothing has ended, which its reader learns.
	_ = a.child.Send(r.Append(nil))
}

func (a *asks) fail(ctx context.Context, r refusal, err error) {
	a.reply(ctx, bridge.Reply{ID: r.id, Last: true, Failed: true, Head: []byte(r.name + " failed: " + err.Error())})
}

// answer answers a question to its end.
func (a *asks) answer(ctx context.Context, ask bridge.Ask, q *question) error {
	if ask.Name != "fetch" {
		return a.elsewhere(ctx, ask)
	}
	response, err := a.request(ctx, ask)
	if err != nil {
		return err
	}
	head, err := fetchHead(response)
	if err != nil {
		return err
	}
	if response.Body == nil {
		a.reply(ctx, bridge.Reply{ID: ask.ID, Last: true, Head: head})
		return nil
	}
	defer response.Body.Close()
	if response.Length >= 0 && response.Length <= wholeBody {
		if body, err := io.ReadAll(response.Body); err == nil {
			a.reply(ctx, bridge.Reply{ID: ask.ID, Last: true, Head: head, Body: body})
			return nil
		}
		return errors.New("the connection ended within the body")
	}
	a.reply(ctx, bridge.Reply{ID: ask.ID, Head: head})
	return a.stream(ctx, ask.ID, q, response.Body)
}

// elsewhere passes a question on to the server, when not too many are under way.
func (a *asks) elsewhere(ctx context.Context, ask bridge.Ask) error {
	if a.other == nil {
		return errors.New("this server does not answer it")
	}
	if err := a.slot(ctx); err != nil {
		return err
	}
	defer a.freeSlot()
	traced, span := tracing.Start(ctx, ask.Name)
	answer, err := a.other(traced, ask.Name, ask.Head)
	span.End(err)
	switch {
	case err != nil:
		return err
	case len(answer) > bridge.MaxReply:
		return fmt.Errorf("the answer has %d bytes; at most %d are allowed", len(answer), bridge.MaxReply)
	}
	a.reply(ctx, bridge.Reply{ID: ask.ID, Last: true, Head: answer})
	return nil
}

func (a *asks) slot(ctx context.Context) error {
	select {
	case a.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *asks) freeSlot() { <-a.slots }

// request makes the request of a question, when not too many are under way.
func (a *asks) request(ctx context.Context, ask bridge.Ask) (*fetch.Response, error) {
	var r struct {
		URL, Method, Redirect string
		Headers               [][2]string
	}
	if err := json.Unmarshal(ask.Head, &r); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	if err := a.slot(ctx); err != nil {
		return nil, err
	}
	defer a.freeSlot()
	return a.fetch.Do(ctx, fetch.Request{URL: r.URL, Method: r.Method, Headers: r.Headers, Redirect: r.Redirect, Body: ask.Body})
}

// stream sends a body, a part for each pull.
func (a *asks) stream(ctx context.Context, id uint64, q *question, body io.Reader) error {
	buf := make([]byte, partSize)
	for {
		select {
		case <-q.pulled:
		case <-ctx.Done():
			return nil
		}
		n, err := body.Read(buf)
		switch {
		case err == nil || err == io.EOF:
			a.reply(ctx, bridge.Reply{ID: id, Last: err == io.EOF, Body: buf[:n]})
		default:
			return err
		}
		if err == io.EOF {
			return nil
		}
	}
}

// fetchHead is the JSON text of an answer's head.
func fetchHead(r *fetch.Response) ([]byte, error) {
	headers := r.Headers
	if headers == nil {
		headers = [][2]string{}
	}
	head, err := json.Marshal(map[string]any{
		"status": r.Status, "statusText": r.StatusText, "url": r.URL, "redirected": r.Redirected, "headers": headers, "hasBody": r.Body != nil,
	})
	if len(head) > bridge.MaxReply/2 {
		return nil, errors.New("the headers of the answer are too long")
	}
	return head, err
}
