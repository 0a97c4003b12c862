package store

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// Bounds of announcing.
const (
	// maxAnnounced is how many executions one announcement lists; more are told as
	// anything.
	maxAnnounced    = 4096
	announceTimeout = 5 * time.Second
)

// announcer tells other processes which executions changed and that something
// waits, after the commit: PostgreSQL has transactions that notify commit one after
// the other, each with its way to the disk, and these would be nearly all. Who
// listens looks by itself after a while for what is lost with a process that dies
// in between.
type announcer struct {
	conn *conn
	log  *slog.Logger

	mu   sync.Mutex
	told *notices
	// wake holds a token when something was told.
	wake          chan struct{}
	closing, done chan struct{}
}

func newAnnouncer(c *conn, log *slog.Logger) *announcer {
	a := &announcer{
		conn: c, log: log, told: newNotices(),
		wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	go a.loop()
	return a
}

// tell keeps what a batch has changed for the next announcement.
func (a *announcer) tell(n *notices) {
	if !n.queue && len(n.executions) == 0 {
		return
	}
	a.add(func(told *notices) {
		told.queue = told.queue || n.queue
		maps.Copy(told.executions, n.executions)
		if len(told.executions) > maxAnnounced {
			told.anything = true
			clear(told.executions)
		}
	})
}

// add changes what the next announcement says.
func (a *announcer) add(change func(told *notices)) {
	a.mu.Lock()
	change(a.told)
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// close announces what was told and ends the announcer.
func (a *announcer) close() error {
	close(a.closing)
	<-a.done
	return a.conn.close()
}

func (a *announcer) loop() {
	defer close(a.done)
	wait := followFirst
	for {
		select {
		case <-a.wake:
		case <-a.closing:
			_ = a.announce() // others look by themselves
			return
		}
		err := a.announce()
		if err == nil {
			wait = followFirst
			continue
		}
		a.log.Warn("other servers can't be told of what was stored; trying again", "error", err, "wait", wait)
		select {
		case <-time.After(wait):
		case <-a.closing:
			return
		}
		wait = min(2*wait, followMost)
	}
}

// announce tells what there is to tell. After an error that is anything, for it is
// not known what was told.
func (a *announcer) announce() error {
	a.mu.Lock()
	payloads := a.told.payloads()
	a.told = newNotices()
	a.mu.Unlock()
	if len(payloads) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), announceTimeout)
	defer cancel()
	err := a.send(ctx, payloads)
	if err == nil {
		return nil
	}
	a.add(func(told *notices) { told.anything = true })
	if a.conn.dialect.class(err) == classLost {
		err = errors.Join(err, a.conn.renew(ctx))
	}
	return err
}

// send runs all statements as one transaction.
func (a *announcer) send(ctx context.Context, payloads []string) error {
	v := view{ctx: ctx, conn: a.conn}
	var all []statement
	for _, payload := range payloads {
		var err error
		if all, err = v.next(sqlNotify, args{noticeChannel, payload}); err != nil {
			return err
		}
		v.pending = all
	}
	_, err := v.run(all)
	return err
}
