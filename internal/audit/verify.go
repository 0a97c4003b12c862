package audit

import (
	"crypto/sha256"
	"fmt"
)

// Broken is where the chain does not hold any more.
type Broken struct {
	// Seq is the entry where it shows.
	Seq    int64
	Reason string
}

// Error implements error.
func (b *Broken) Error() string { return fmt.Sprintf("audit entry %d %s", b.Seq, b.Reason) }

// Verifier checks entries in the order of the chain. The first one may be any:
// what was before it went with its retention.
type Verifier struct {
	// Gaps lets entries be absent, as in an export of one organization: those of
	// others are between its own. Without them only the entries themselves and
	// neighbours can be checked.
	Gaps bool

	last Link
	// Entries counts what was checked, and Missing what was not there.
	Entries, Missing int64
}

// Check returns a *Broken when l does not follow what was checked before.
func (v *Verifier) Check(l Link) error {
	if l.Seq < 1 {
		return &Broken{l.Seq, "has a number that no entry has"}
	}
	if l.Sum() != l.Hash {
		return &Broken{l.Seq, "was changed: its content and its hash do not belong together"}
	}
	if v.Entries > 0 {
		if err := v.follow(l); err != nil {
			return err
		}
	}
	v.last = l
	v.Entries++
	return nil
}

func (v *Verifier) follow(l Link) error {
	next := v.last.Seq + 1
	switch {
	case l.Seq < next:
		return &Broken{l.Seq, fmt.Sprintf("comes after entry %d", v.last.Seq)}
	case l.Seq > next && !v.Gaps:
		return &Broken{next, fmt.Sprintf("is missing, and so are all up to %d", l.Seq-1)}
	case l.Seq > next:
		v.Missing += l.Seq - next
	case l.Previous != v.last.Hash:
		return &Broken{l.Seq, fmt.Sprintf("does not follow the entry %d that is there: one of the two was replaced", v.last.Seq)}
	}
	return nil
}

// End returns a *Broken when the last entry that was checked is not the one that
// the chain ends with.
func (v *Verifier) End(seq int64, hash [sha256.Size]byte) error {
	switch {
	case v.last.Seq < seq:
		return &Broken{v.last.Seq + 1, fmt.Sprintf("is missing, and so are all up to %d, the last one", seq)}
	case v.last.Seq > seq:
		return &Broken{v.last.Seq, fmt.Sprintf("comes after entry %d, which is said to be the last one", seq)}
	case v.last.Hash != hash && seq > 0:
		return &Broken{seq, "is not the one that the chain is said to end with"}
	}
	return nil
}
