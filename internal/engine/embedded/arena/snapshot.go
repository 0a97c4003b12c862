package arena

import "bytes"

// keep is how much memory above a snapshot stays with the process for the next
// run; the rest goes back to the system.
const keep = 8 << 20

// Snapshot is a copy of an arena's content.
type Snapshot struct {
	mem     []byte
	control control
}

// Snapshot copies the arena as it is.
func (a *Arena) Snapshot() *Snapshot {
	return &Snapshot{mem: bytes.Clone(a.mem[:a.top]), control: a.control}
}

// Size is the number of bytes that the snapshot holds.
func (s *Snapshot) Size() int { return len(s.mem) }

// Used is the number of bytes that were allocated.
func (s *Snapshot) Used() int { return s.control.used }

// Restore makes the arena what it was when the snapshot of it was taken.
func (a *Arena) Restore(s *Snapshot) error {
	a.touched = max(a.touched, a.top)
	copy(a.mem, s.mem)
	a.control = s.control
	if a.touched <= s.control.top+keep {
		return nil
	}
	from := (s.control.top + keep) &^ (pageSize - 1)
	if err := discard(a.mem[from:]); err != nil {
		return err
	}
	a.touched = from
	return nil
}
