package loadtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// listed is an execution as lists show it.
type listed struct {
	ID           string
	Status       string
	DeploymentID string
	ErrorMessage string
	CompletedAt  string
	Attempt      int
	// Interruptions and Retries are those of the API.
	Interruptions, Retries int
}

func (e listed) final() bool { return e.Status != "received" && e.Status != "started" }

type page struct {
	// Total is what the server counted, not the length of a list.
	Total      int
	Executions []listed
}

// pageSize is the most that a list shows at once.
const pageSize = 100

func readPage(t testing.TB, c *apptest.Client, workflow, status string, offset int) page {
	t.Helper()
	r := c.Do(t, "GET", fmt.Sprintf("/api/executions/workflows/%s?limit=%d&offset=%d&status=%s", workflow, pageSize, offset, status), nil)
	var p page
	if err := json.Unmarshal(r.Body, &p); err != nil || r.Status != http.StatusOK {
		t.Fatalf("executions of %s: %s (%v)", workflow, r, err)
	}
	return p
}

// readAll returns every execution, and how many the server counted. Nothing may
// be accepted meanwhile.
func readAll(t testing.TB, c *apptest.Client, workflow, status string) (all []listed, total int) {
	t.Helper()
	seen := map[string]bool{}
	for {
		p := readPage(t, c, workflow, status, len(all))
		for _, e := range p.Executions {
			if seen[e.ID] {
				t.Fatalf("execution %s is listed twice", e.ID)
			}
			seen[e.ID] = true
		}
		all = append(all, p.Executions...)
		if len(p.Executions) < pageSize {
			return all, p.Total
		}
	}
}

// readers is how many executions are read at the same time.
const readers = 4

// readOutcomes returns what completed executions returned.
func readOutcomes(t testing.TB, c *apptest.Client, all []listed) map[string]outcome {
	t.Helper()
	outcomes := make(map[string]outcome, len(all))
	var mu sync.Mutex
	var reading sync.WaitGroup
	work := make(chan string)
	for range readers {
		reading.Go(func() {
			for id := range work {
				r, err := c.Try("GET", "/api/executions/"+id, nil)
				var shown struct{ Result outcome }
				if err == nil {
					err = json.Unmarshal(r.Body, &shown)
				}
				if err != nil || r.Status != http.StatusOK {
					t.Errorf("execution %s: %s (%v)", id, r, err)
					continue
				}
				mu.Lock()
				outcomes[id] = shown.Result
				mu.Unlock()
			}
		})
	}
	for _, e := range all {
		if e.Status == "completed" {
			work <- e.ID
		}
	}
	close(work)
	reading.Wait()
	return outcomes
}

// ending is how an execution was seen to have ended.
type ending struct {
	status, at string
	attempt    int
}

// endings remembers ends that were seen: they are for good.
type endings struct {
	seen    map[string]ending
	changed int
}

// note remembers the ends of executions and compares them with those seen
// before.
func (s *endings) note(t testing.TB, all []listed) {
	t.Helper()
	for _, e := range all {
		now := ending{e.Status, e.CompletedAt, e.Attempt}
		before, known := s.seen[e.ID]
		switch {
		case known && before != now:
			s.changed++
			t.Errorf("execution %s had ended as %v and is now %v", e.ID, before, now)
		case e.final():
			s.seen[e.ID] = now
		}
	}
}
