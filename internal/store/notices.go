package store

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// noticeChannel is what processes that share a database listen to.
const noticeChannel = "flowwd"

// maxNotice is the longest payload of a notification, in bytes; PostgreSQL
// takes less than 8000.
const maxNotice = 7900

// notices is what other processes should know of a batch.
type notices struct {
	// anything says that more has changed than can be listed.
	anything, queue       bool
	executions, workflows map[id.ID]bool
	// cancelled are running executions that their servers shall end, principals
	// those who may do less than before.
	cancelled, principals map[id.ID]bool
}

func newNotices() *notices {
	return &notices{
		executions: make(map[id.ID]bool), workflows: make(map[id.ID]bool),
		cancelled: make(map[id.ID]bool), principals: make(map[id.ID]bool),
	}
}

// A notification is a list of words without spaces between them: a says that
// anything may have changed, q that something waits in the queue, x and an id that
// an execution changed, w and an id that a workflow did, c and an id that an
// execution shall end, p and an id that a principal may do less. Ids are 22
// characters of unpadded base64.
const (
	wordAnything  = 'a'
	wordQueue     = 'q'
	wordExecution = 'x'
	wordWorkflow  = 'w'
	wordCancel    = 'c'
	wordPrincipal = 'p'
)

var wordIDs = base64.RawURLEncoding

// payloads writes the notices as notifications.
func (n *notices) payloads() []string {
	var all []string
	var b strings.Builder
	add := func(word byte, of id.ID) {
		if b.Len() > maxNotice-1-wordIDs.EncodedLen(len(of)) {
			all = append(all, b.String())
			b.Reset()
		}
		b.WriteByte(word)
		if !of.IsZero() {
			b.WriteString(wordIDs.EncodeToString(of[:]))
		}
	}
	if n.anything {
		add(wordAnything, id.ID{})
	}
	if n.queue {
		add(wordQueue, id.ID{})
	}
	for x := range n.executions {
		add(wordExecution, x)
	}
	for x := range n.workflows {
		add(wordWorkflow, x)
	}
	for x := range n.cancelled {
		add(wordCancel, x)
	}
	for x := range n.principals {
		add(wordPrincipal, x)
	}
	if b.Len() > 0 {
		all = append(all, b.String())
	}
	return all
}

// parseNotices reads a notification. What it does not understand, such as that
// of a newer flowwd, it takes for a sign that anything may have changed.
func parseNotices(payload string) execution.Notice {
	var n execution.Notice
	size := wordIDs.EncodedLen(len(id.ID{}))
	for payload != "" {
		word := payload[0]
		payload = payload[1:]
		if word == wordQueue {
			n.Queue = true
			continue
		}
		if word == wordAnything {
			n.Anything = true
			continue
		}
		var of id.ID
		if len(payload) < size {
			return execution.Notice{Anything: true}
		}
		if got, err := wordIDs.Decode(of[:], []byte(payload[:size])); err != nil || got != len(of) {
			return execution.Notice{Anything: true}
		}
		payload = payload[size:]
		switch word {
		case wordExecution:
			n.Executions = append(n.Executions, of)
		case wordWorkflow:
			n.Workflows = append(n.Workflows, of)
		case wordCancel:
			n.Cancelled = append(n.Cancelled, of)
		case wordPrincipal:
			n.Principals = append(n.Principals, of)
		default:
			return execution.Notice{Anything: true}
		}
	}
	return n
}

const sqlNotify = `SELECT pg_notify(?, ?)`

// announce has what must not get lost told with the commit. The rest is the
// announcer's.
func (postgresDialect) announce(t *tx, n *notices) error {
	kept := notices{anything: n.anything, workflows: n.workflows, cancelled: n.cancelled, principals: n.principals}
	for _, payload := range kept.payloads() {
		if err := t.later(sqlNotify, noticeChannel, payload); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of following.
const (
	followFirst = 100 * time.Millisecond
	followMost  = 5 * time.Second
)

// Follow implements execution.Store.
func (s *Store) Follow(ctx context.Context, notice func(execution.Notice)) {
	d, ok := s.database.(*postgresDatabase)
	if !ok {
		s.followSelf(ctx, notice)
		return
	}
	wait := followFirst
	for ctx.Err() == nil {
		err := d.listen(ctx, func(n execution.Notice) {
			wait = followFirst
			notice(n)
		})
		if ctx.Err() != nil {
			return
		}
		s.cfg.Log.Warn("the database's notifications are not heard; trying again", "error", err, "wait", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, followMost)
	}
}

// OnEnded implements execution.Store.
func (s *Store) OnEnded(told func([]execution.Ended)) { s.ended.Store(&told) }

// committed passes on what a batch has changed: to this process alone what the
// store ended by itself, for one server tells of it.
func (s *Store) committed(n *notices, ended []execution.Ended) {
	if told := s.ended.Load(); told != nil && len(ended) > 0 {
		(*told)(ended)
	}
	s.tell(n)
	if s.announcer != nil {
		s.announcer.tell(n)
	}
}

// maxUnheard is how many notices of this process wait to be heard; those beyond
// are told together, as anything.
const maxUnheard = 256

// tell keeps what a batch has changed for a follower in this process, where no
// other process writes: what it does not know of its own doing.
func (s *Store) tell(n *notices) {
	if s.database.shared() || !n.anything && len(n.principals) == 0 {
		return
	}
	told := execution.Notice{Anything: n.anything, Principals: slices.Collect(maps.Keys(n.principals))}
	select {
	case s.told <- told:
	default:
		s.missed.Store(true)
	}
}

// followSelf passes on what tell was told.
func (s *Store) followSelf(ctx context.Context, notice func(execution.Notice)) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-s.told:
			n.Anything = s.missed.Swap(false) || n.Anything
			notice(n)
		}
	}
}

// listen passes notifications on until the connection fails. It begins with
// Anything, for what was said before is lost.
func (d *postgresDatabase) listen(ctx context.Context, notice func(execution.Notice)) error {
	config := d.config.Copy()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	if _, err := conn.Exec(ctx, "LISTEN "+noticeChannel); err != nil {
		return err
	}
	notice(execution.Notice{Anything: true})
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		notice(parseNotices(n.Payload))
	}
}
