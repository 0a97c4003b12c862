package realtime

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/usefloww/flowwd/internal/id"
)

// Transport carries publications to subscribers: a home of the channels.
type Transport interface {
	// Publish sends data to those who are subscribed to a channel.
	Publish(ctx context.Context, channel string, data []byte, o Options) error
	// Wanted reports whether somebody is or was lately subscribed to a channel;
	// true where that is not known. What nobody wants need not be made.
	Wanted(channel string) bool
	// Present returns whether a user is subscribed to a channel now, with a program
	// and not with a page in a browser.
	Present(ctx context.Context, channel string, user id.ID) (bool, error)
	// Here answers the same at once; known is false when only asking elsewhere
	// can tell.
	Here(channel string, user id.ID) (present, known bool)
	// Recheck has the connections of a user connect again, so that all that they
	// may is decided anew; those of everybody for the zero id, where that can be
	// done. Clients do so by themselves and lose nothing.
	Recheck(ctx context.Context, user id.ID) error
	// Healthy reports why the transport can't work now; nil when it can.
	Healthy(ctx context.Context) error
}

// Options of a publication.
type Options struct {
	// Passing keeps the publication out of the channel's history.
	Passing bool
	// Only, when there are some, are the users whose programs get it; others who
	// are subscribed, and pages in browsers, do not. It is passing then.
	Only []id.ID
	// Otherwise is published when it can't be kept from others.
	Otherwise []byte
}

// Info is what a home of channels knows about a connection, and tells those who
// share a channel with it.
type Info struct {
	UserID string `json:"user_id"`
	// Page says that it was let in by the cookie of a browser.
	Page bool `json:"page,omitempty"`
}

// Once returns what an event is known by, so that a publication whose answer got
// lost can be tried again and is not heard twice. No two events have the same
// text: each names its execution, its time and its line or attempt.
func Once(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// The history of a channel, by which clients recover what they missed: 4.5 of
// identity-realtime-admin.md.
const (
	HistorySize    = 50
	HistorySeconds = 600
)
