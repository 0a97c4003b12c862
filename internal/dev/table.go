package dev

import (
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// table is the sessions that go on, as they were read last. It does not change
// once it is used.
type table struct {
	sessions []Session
	// takes are the places of sessions by the triggers whose events they take.
	takes map[id.ID][]place
	// present are the sessions whose developers were connected somewhere when
	// that was asked last.
	present map[id.ID]bool
}

// place is that of a session and of a trigger in it.
type place struct{ session, trigger int }

// index makes takes.
func (t *table) index() {
	t.takes = map[id.ID][]place{}
	for i := range t.sessions {
		for j := range t.sessions[i].Triggers {
			trigger := t.sessions[i].Triggers[j].ID
			t.takes[trigger] = append(t.takes[trigger], place{i, j})
		}
	}
}

// connected reports whether the developer of a session is connected. What this
// process can know is not asked of the table, which is older.
func (t *table) connected(p Presence, x *Session) bool {
	if present, known := p.Here(x.WorkflowID, x.DeveloperID); known {
		return present
	}
	return t.present[x.ID]
}

// takers returns whom an event of a trigger is told to; nil for nobody.
func (t *table) takers(p Presence, trigger id.ID) *execution.Dev {
	var d *execution.Dev
	for _, at := range t.takes[trigger] {
		x := &t.sessions[at.session]
		if !t.connected(p, x) {
			continue
		}
		if d == nil {
			d = &execution.Dev{Trigger: x.Triggers[at.trigger]}
		}
		d.To = append(d.To, x.DeveloperID)
		d.Instead = d.Instead || !x.Mirror
	}
	return d
}
