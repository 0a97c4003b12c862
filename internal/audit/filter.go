package audit

import (
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of a page.
const (
	MaxPage     = 200
	DefaultPage = 50
)

// Filter selects entries. Zero fields select all.
type Filter struct {
	OrganizationID id.ID
	// Actor is the id, the name or the kind of who did it.
	Actor string
	// Action is a whole one, or the word before its dot.
	Action Action
	// Target is the id or the type of what it was done to, or both with a colon
	// between them.
	Target string
	// Outcome is what became of it.
	Outcome Outcome
	// Since and Until bound the time, both inclusive.
	Since, Until time.Time
	// Before goes on from an earlier page: its Next.
	Before int64
	// Limit is how many entries a page has at most.
	Limit int
}

// Page is a part of the log, newest first.
type Page struct {
	Links []Link
	// Next is the Before of the following page; 0 when there is none. A page can
	// be followed by another although it has fewer than Limit entries: looking for
	// rare ones stops after a while.
	Next int64
}

// Matches reports whether the filter selects e, apart from its place in the
// chain.
func (f Filter) Matches(e Entry) bool {
	is := func(wanted string, any ...string) bool {
		if wanted == "" {
			return true
		}
		for _, text := range any {
			if text != "" && strings.EqualFold(text, wanted) {
				return true
			}
		}
		return false
	}
	object, _, _ := strings.Cut(string(e.Action), ".")
	actor := ""
	if !e.Actor.ID.IsZero() {
		actor = e.Actor.ID.String()
	}
	return (f.OrganizationID.IsZero() || f.OrganizationID == e.OrganizationID) &&
		is(f.Actor, actor, e.Actor.Name, e.Actor.Kind) &&
		is(string(f.Action), string(e.Action), object) &&
		is(f.Target, e.Target.ID, e.Target.Type, e.Target.Type+":"+e.Target.ID) &&
		is(string(f.Outcome), string(e.Outcome)) &&
		(f.Since.IsZero() || !e.At.Before(f.Since)) &&
		(f.Until.IsZero() || !e.At.After(f.Until))
}
