package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// interval is how often it is looked for what is to be told.
	interval = time.Second
	// pause is how long one receiver is left alone after a notice.
	pause = time.Minute
	// maxSending is how many notices are on their way at once.
	maxSending  = 32
	sendTimeout = 15 * time.Second
	// lease is how long nobody else sends a notice that was taken.
	lease        = 30 * time.Second
	storeTimeout = 10 * time.Second
	maxProblem   = 300
)

// waits are how long it is between two tries: half a day in all.
func waits() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 5 * time.Hour,
	}
}

// Start begins to tell.
func (s *Service) Start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.work.Go(func() { s.loop(ctx) })
	return nil
}

// Stop ends what is being sent; it is sent again after the next start.
func (s *Service) Stop(context.Context) error {
	s.stop()
	s.work.Wait()
	return nil
}

func (s *Service) loop(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		for s.look(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look sends what is due, as much as may be sent at once, and reports whether
// there may be more.
func (s *Service) look(ctx context.Context) bool {
	held := 0
	for taken := true; taken && held < maxSending; {
		select {
		case s.slots <- struct{}{}:
			held++
		default:
			taken = false
		}
	}
	if held == 0 || ctx.Err() != nil {
		return s.free(held)
	}
	ids := make([]id.ID, held)
	for i := range ids {
		ids[i] = s.IDs.New()
	}
	bounded, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	now := s.Now()
	notices, err := s.Store.TakeNotices(bounded, ids, now, now.Add(lease))
	if err != nil && ctx.Err() == nil {
		s.Log.Error("what failed could not be looked for, to tell of it; trying again", "error", err)
	}
	for _, n := range notices {
		s.work.Go(func() {
			defer func() { <-s.slots }()
			s.send(ctx, n)
		})
	}
	s.free(held - len(notices))
	return len(notices) == held
}

// free gives slots back.
func (s *Service) free(slots int) bool {
	for range slots {
		<-s.slots
	}
	return false
}

// errUntaken says that a receiver refused a notice.
var errUntaken = errors.New("the receiver did not take it")

func (s *Service) send(ctx context.Context, n Notice) {
	bounded, cancel := context.WithTimeout(ctx, sendTimeout)
	err := s.deliver(bounded, n)
	cancel()
	if ctx.Err() != nil {
		return // whether it arrived is not known
	}
	now := s.Now()
	settled := Settlement{At: now, Quiet: now.Add(pause)}
	if err != nil {
		settled.Problem = problem(err)
		final := fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound)
		if all := waits(); !final && n.Try <= len(all) {
			again := now.Add(all[n.Try-1])
			settled.Again = &again
		} else {
			settled.Problem = fmt.Sprintf("Given up after %d tries: %s", n.Try, settled.Problem)
		}
		s.Log.Warn("a failure could not be told", "workflow", n.WorkflowID, "kind", n.Kind, "try", n.Try, "error", err)
	}
	bounded, cancel = context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := s.Store.SettleNotice(bounded, n, settled); err != nil {
		s.Log.Error("that a failure was told could not be stored; it is told again", "workflow", n.WorkflowID, "kind", n.Kind, "error", err)
	}
}

// problem is the text of an error for people.
func problem(err error) string {
	text := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		text = f.Message
	}
	if runes := []rune(text); len(runes) > maxProblem {
		text = string(runes[:maxProblem]) + "…"
	}
	return text
}

func (s *Service) deliver(ctx context.Context, n Notice) error {
	r, err := s.report(ctx, n)
	if err != nil {
		return err
	}
	switch n.Kind {
	case Webhook:
		return s.post(ctx, n, r)
	case Mail:
		if s.Mail == nil {
			return fault.New(fault.Unavailable, "this server sends no mail now")
		}
		return s.Mail(ctx, r.letter(n.Label))
	default:
		return s.handle(ctx, n, r)
	}
}

func (s *Service) post(ctx context.Context, n Notice, r report) error {
	to, err := s.open(n.Receiver)
	if err != nil {
		return err
	}
	now := s.Now()
	body, err := json.Marshal(event{Type: "workflow.failed", Timestamp: written(now), Text: r.text(), Data: r})
	if err != nil {
		return err
	}
	status, err := s.Post(ctx, to.URL, signed(to.Key, n.ID.String(), now, body), body)
	switch {
	case err != nil:
		return err
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusGone:
		return fault.Because(errUntaken, fault.Invalid, "it answered 410 Gone")
	}
	return fault.Because(errUntaken, fault.Unavailable, "it answered %d %s", status, http.StatusText(status))
}

// handle starts the workflow's own handlers. The notice's id names the delivery,
// so that each runs once.
func (s *Service) handle(ctx context.Context, n Notice, r report) error {
	triggers, err := s.Workflows.Triggers(ctx, n.WorkflowID)
	if err != nil {
		return err
	}
	fields, err := json.Marshal(r)
	if err != nil {
		return err
	}
	for _, t := range triggers {
		if t.Type != workflow.OnFailure || t.DevOnly {
			continue
		}
		_, err := s.Accepter.Accept(ctx, execution.Acceptance{
			OrganizationID: t.OrganizationID, WorkflowID: t.WorkflowID, TriggerID: t.ID,
			Origin:      execution.Origin{ProviderType: t.Provider.Type, ProviderAlias: t.Provider.Alias, TriggerType: t.Type},
			Event:       execution.Event{Fields: fields},
			DeliveryKey: n.ID.String(),
		})
		// Of a trigger that is gone, or of an organization that is disabled, none runs.
		if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
			return err
		}
	}
	return nil
}
