package moving

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// traffic sends numbered events to one address, each with a body of its own
// size, and keeps which were acknowledged.
type traffic struct {
	client  *apptest.Client
	path    string
	senders sync.WaitGroup
	stop    chan struct{}

	mu           sync.Mutex
	next         int
	acknowledged map[int]string // executions by number
	failures     []string
}

const senders = 6

func startTraffic(c *apptest.Client, path string) *traffic {
	s := &traffic{client: c.Anonymous(), path: path, stop: make(chan struct{}), acknowledged: map[int]string{}}
	for range senders {
		s.senders.Go(s.send)
	}
	return s
}

// size is how much an event carries: some are kept outside of SQLite's file.
func size(n int) int {
	if n%10 == 0 {
		return 150_000
	}
	return n % 50
}

func (s *traffic) send() {
	for {
		select {
		case <-s.stop:
			return
		default:
		}
		s.mu.Lock()
		s.next++
		n := s.next
		s.mu.Unlock()
		r, err := s.client.Try("POST", s.path, fmt.Sprintf(`{"n":%d,"text":%q}`, n, strings.Repeat("x", size(n))))
		var answer struct{ ExecutionID string }
		if err == nil && (r.Status != http.StatusOK || json.Unmarshal(r.Body, &answer) != nil) {
			err = fmt.Errorf("answered %s", r)
		}
		s.mu.Lock()
		if err != nil {
			s.failures = append(s.failures, fmt.Sprintf("event %d: %v", n, err))
		} else {
			s.acknowledged[n] = answer.ExecutionID
		}
		s.mu.Unlock()
	}
}

// sofar returns what was acknowledged until now.
func (s *traffic) sofar() map[int]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.acknowledged)
}

// until waits for so many acknowledged events.
func (s *traffic) until(t *testing.T, n int) {
	t.Helper()
	apptest.Until(t, 60*time.Second, fmt.Sprintf("%d acknowledged events", n), func() bool { return len(s.sofar()) >= n })
}

// end stops the traffic. No event may have been refused.
func (s *traffic) end(t *testing.T) {
	t.Helper()
	close(s.stop)
	s.senders.Wait()
	for _, f := range s.failures {
		t.Error(f)
	}
}

// handler takes long enough that events wait, and says what it was given.
const handler = `
	await new Promise((r) => setTimeout(r, 50));
	return { n: event.body.n, size: event.body.text.length };
`

// settle waits until nothing is left to run, and looks for each acknowledged
// event: it is there, has completed with its own number and size, and no other
// execution has. It returns how many executions there are, and how many of them
// ran more than once.
func settle(t *testing.T, c *apptest.Client, workflow string, acknowledged map[int]string) (total, rerun int) {
	t.Helper()
	count := func(status string) int {
		page := c.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+workflow+"?limit=1"+status, nil)
		return int(page["total"].(float64))
	}
	apptest.Until(t, 120*time.Second, "the end of all executions", func() bool {
		return count("&status=received") == 0 && count("&status=started") == 0
	})
	total = count("")
	if done := count("&status=completed"); done != total {
		t.Errorf("%d of %d executions have completed", done, total)
	}
	for n, id := range acknowledged {
		e := c.Execution(t, id)
		var got struct{ N, Size int }
		if e.Status != "completed" || json.Unmarshal(e.Result, &got) != nil || got.N != n || got.Size != size(n) {
			t.Errorf("event %d is %s with %s: %s", n, e.Status, e.Result, e.ErrorMessage)
		}
		if e.Attempt > 1 {
			rerun++
		}
	}
	return total, rerun
}
