package main

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// listRounds is how often each list is asked for.
const listRounds = 200

// measureLists measures operations of the API that look at what has run, with
// much of it there.
func (s *server) measureLists(ctx context.Context, busiest string, r *report) error {
	namespaces, err := s.api.Namespaces(ctx)
	if err != nil {
		return err
	}
	of := "/api/executions/workflows/" + busiest
	for _, list := range []struct{ name, path string }{
		{"the newest 50 executions", "/api/executions?limit=50"},
		{"50 executions of the busiest workflow, 10,000 before them", of + "?limit=50&offset=10000"},
		{"lines of the busiest workflow with a word of each run", of + "/logs?q=" + url.QueryEscape("line 7 of")},
		{"lines of the busiest workflow with a word of none", of + "/logs?q=" + url.QueryEscape("nothing at all")},
		{"summary of 7 days", "/api/summary?days=7&namespaceId=" + namespaces[0].ID},
	} {
		var took latencies
		for range listRounds {
			begin := time.Now()
			if err := s.call(ctx, http.MethodGet, list.path, nil, nil); err != nil {
				return err
			}
			took = append(took, time.Since(begin))
		}
		r.add("with 10,000 workflows, 1 M executions and 20 M log lines: "+list.name, "p50 %s, p99 %s", ms(took.at(50)), ms(took.at(99)))
	}
	return nil
}
