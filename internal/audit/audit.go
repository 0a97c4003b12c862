package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Actor is who did something, and from where.
type Actor struct {
	// Kind is "user", "service_account", "run" (code of a workflow), "operator"
	// (of the machine, by the command line), "system" (the server by itself) or
	// "anonymous".
	Kind string
	ID   id.ID
	// Name is for people: an e-mail or the name of a service account.
	Name string
	// Address is the one that the request came from, without a port.
	Address string
	// RequestID names the request in the server's log.
	RequestID string
}

// The kinds of actors.
const (
	KindUser           = "user"
	KindServiceAccount = "service_account"
	KindRun            = "run"
	KindOperator       = "operator"
	KindSystem         = "system"
	KindAnonymous      = "anonymous"
)

// Action names what was done, as "object.verb".
type Action string

// Outcome says whether it was.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
)

// Target is what something was done to.
type Target struct {
	// Type is a word such as "workflow"; empty when there is none.
	Type string
	// ID is an id or, where there is none, a name.
	ID string
}

// Entry is one thing that was done or refused.
type Entry struct {
	ID id.ID
	At time.Time
	// OrganizationID is whose affair it is; zero for the installation's.
	OrganizationID id.ID
	Actor          Actor
	Action         Action
	Outcome        Outcome
	Target         Target
	// Before and After are JSON objects without secrets; nil for nothing.
	Before, After json.RawMessage
}

// Link is an entry with its place in the chain.
type Link struct {
	Entry
	// Seq counts from 1 without gaps.
	Seq int64
	// Previous is the Hash of the entry with the Seq before.
	Previous [sha256.Size]byte
	Hash     [sha256.Size]byte
}

// Sum returns what the hash of the link must be: the SHA-256 of its fields,
// each with its length before it as 8 bytes, so that no two entries have the
// same text.
func (l Link) Sum() [sha256.Size]byte {
	h := sha256.New()
	write := func(field []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write(field)
	}
	write(l.Previous[:])
	write(fmt.Append(nil, l.Seq))
	write(l.ID[:])
	write(fmt.Append(nil, l.At.UnixMilli()))
	write(l.OrganizationID[:])
	for _, text := range []string{
		l.Actor.Kind, l.Actor.ID.String(), l.Actor.Name, string(l.Action), string(l.Outcome),
		l.Target.Type, l.Target.ID, l.Actor.Address, l.Actor.RequestID, string(l.Before), string(l.After),
	} {
		write([]byte(text))
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

type actorKey struct{}

// WithActor returns a context in which a does what is done.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns who acts in ctx; the system where nobody was named.
func ActorOf(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Actor{Kind: KindSystem}
}

// Snapshot writes a value as the JSON of Before or After. Values are made by
// this program and always have such a form.
func Snapshot(fields map[string]any) json.RawMessage {
	text, err := json.Marshal(fields)
	if err != nil {
		return json.RawMessage(`{"error":"no JSON form"}`)
	}
	return text
}

// maxBrief is how many characters Brief leaves.
const maxBrief = 200

// Brief cuts a text that people wrote, which may be long, for Before or After.
func Brief(text string) string {
	runes := []rune(text)
	if len(runes) <= maxBrief {
		return text
	}
	return string(runes[:maxBrief]) + "…"
}
