package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// body is where an event's body is kept: inline or, when large, on disk.
type body struct {
	inline []byte
	hash   workflow.Hash
}

// place puts a large body on disk. Release is called after the unit that names
// it has ended.
func (s *Store) place(e execution.Event) (b body, release func(), err error) {
	release = func() {}
	if !e.HasBody {
		return b, release, nil
	}
	if len(e.Body) <= maxInline || s.database.shared() {
		return body{inline: notNull(e.Body)}, release, nil
	}
	b.hash, release, err = s.blobs.put(e.Body)
	if s.writer != nil {
		s.writer.measures.refusal(err)
	}
	return b, release, err
}

// bodyHash is the hash to store: NULL for an inline body.
func (b body) bodyHash() []byte {
	if b.hash == (workflow.Hash{}) {
		return nil
	}
	return b.hash[:]
}

func storeEvent(t *tx, organization id.ID, e execution.Event, b body) error {
	return t.later(`
		INSERT INTO events (id, organization_id, fields, has_body, content_type, body_hash, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		e.ID, organization, e.Fields, e.HasBody, e.ContentType, b.bodyHash(), b.inline)
}

// storedEvent is an event whose body may still have to be read from disk.
type storedEvent struct {
	execution.Event
	onDisk workflow.Hash
}

func (e *storedEvent) into() []any {
	return []any{&e.ID, &e.Fields, &e.HasBody, &e.ContentType, &e.onDisk, &e.Body}
}

// complete is called when the columns have been read.
func (e *storedEvent) complete() {
	if e.HasBody {
		e.Body = notNull(e.Body) // SQLite's driver gives nil for an empty one
	}
}

// Event implements execution.Store.
func (s *Store) Event(ctx context.Context, wanted id.ID) (execution.Event, error) {
	var event storedEvent
	err := s.read(ctx, "read an event", func(v *view) error {
		event = storedEvent{}
		found, err := v.one(`SELECT id, fields, has_body, content_type, body_hash, body FROM events WHERE id = ?`, args{wanted}, event.into()...)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "Event not found")
		}
		event.complete()
		return err
	})
	if err == nil {
		err = event.load(s.blobs)
	}
	return event.Event, err
}

// load reads a body that is on disk.
func (e *storedEvent) load(b *blobs) error {
	if e.onDisk == (workflow.Hash{}) {
		return nil
	}
	body, err := b.get(e.onDisk)
	e.Body = body
	return err
}
