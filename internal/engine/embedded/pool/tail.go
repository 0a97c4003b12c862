package pool

import (
	"strings"
	"sync"
)

// tailBytes is how much of a child's standard error is kept.
const tailBytes = 8 << 10

// tail keeps the beginning and the end of what is written to it: a crash says
// at the beginning what it was. Safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	head []byte
	rest []byte
	lost bool
}

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(b)
	if room := tailBytes/2 - len(t.head); room > 0 {
		take := min(room, len(b))
		t.head = append(t.head, b[:take]...)
		b = b[take:]
	}
	t.rest = append(t.rest, b...)
	if over := len(t.rest) - tailBytes/2; over > 0 {
		t.rest = append(t.rest[:0], t.rest[over:]...)
		t.lost = true
	}
	return n, nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	gap := ""
	if t.lost {
		gap = "\n…\n"
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(t.head)+gap+string(t.rest), "\uFFFD"))
}
