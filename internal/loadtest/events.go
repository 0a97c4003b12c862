package loadtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// event is one numbered event.
type event struct {
	n int
	// size is the length of its padding. Some are so large that their bodies
	// are kept as files.
	size int
	// key names the delivery; empty for one that is never sent again, because
	// nobody could tell the two apart.
	key string
	// id is the execution that its acknowledgement named; empty before.
	id string
}

// One in so many events is large, has no key, and is sent again after it was
// acknowledged.
const (
	oneLarge    = 12
	oneUnnamed  = 4
	oneRepeated = 20
)

// Sizes of the padding of large events, on both sides of the 64 KiB that fit
// into a row.
const leastLarge, mostLarge = 40 << 10, 200 << 10

func (e *event) body() string {
	return fmt.Sprintf(`{"n":%d,"pad":"%s"}`, e.n, strings.Repeat("x", e.size))
}

// events is the account of what was sent.
type events struct {
	mu sync.Mutex
	// numbered has every event that was ever sent.
	numbered map[int]*event
	// unanswered are those with a key whose answer was lost; they are sent
	// again.
	unanswered []*event
	answered   []*event
	refused    int
	// disagreed are events that were acknowledged with two executions.
	disagreed int
}

// next chooses what to send. An event that was chosen is with one sender alone,
// unless it was acknowledged before.
func (s *events) next(random *rand.Rand) *event {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch again := random.IntN(oneRepeated) == 0; {
	case again && len(s.answered) > 0:
		if e := s.answered[random.IntN(len(s.answered))]; e.key != "" {
			return e
		}
	case len(s.unanswered) > 0:
		e := s.unanswered[0]
		s.unanswered = s.unanswered[1:]
		return e
	}
	return s.make(random)
}

// make notes a new event; the lock is held.
func (s *events) make(random *rand.Rand) *event {
	e := &event{n: len(s.numbered) + 1}
	if random.IntN(oneLarge) == 0 {
		e.size = leastLarge + random.IntN(mostLarge-leastLarge)
	}
	if random.IntN(oneUnnamed) != 0 {
		e.key = fmt.Sprintf("event-%d", e.n)
	}
	s.numbered[e.n] = e
	return e
}

func (s *events) sendNext(t testing.TB, c *apptest.Client, path string, random *rand.Rand, ending func() bool) {
	s.send(t, c, path, s.next(random), ending)
}

// send sends an event and notes its answer.
func (s *events) send(t testing.TB, c *apptest.Client, path string, e *event, ending func() bool) {
	var headers []string
	if e.key != "" {
		headers = []string{"Idempotency-Key", e.key}
	}
	r, err := c.Anonymous().Try("POST", path, e.body(), headers...)
	switch {
	case err != nil:
		if !ending() {
			t.Errorf("event %d: no answer from a server that should live: %v", e.n, err)
		}
		s.lost(e)
	case r.Status == http.StatusServiceUnavailable || r.Status == http.StatusTooManyRequests:
		if r.Header.Get("Retry-After") == "" {
			t.Errorf("event %d: %s without Retry-After", e.n, r)
		}
		s.lost(e)
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
	default:
		var answer struct{ ExecutionID string }
		if err := json.Unmarshal(r.Body, &answer); err != nil || r.Status != http.StatusOK || answer.ExecutionID == "" {
			t.Errorf("event %d: %s, want 200 with an execution", e.n, r)
			return
		}
		s.acknowledged(t, e, answer.ExecutionID)
	}
}

// lost notes an event that was not acknowledged this time.
func (s *events) lost(e *event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.key != "" && e.id == "" {
		s.unanswered = append(s.unanswered, e)
	}
}

func (s *events) acknowledged(t testing.TB, e *event, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.id {
	case "":
		e.id = id
		s.answered = append(s.answered, e)
	case id:
	default:
		s.disagreed++
		t.Errorf("event %d was acknowledged as execution %s, and sent again with its key as %s", e.n, e.id, id)
	}
}
