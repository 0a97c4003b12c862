package store

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"strings"
)

// small is what may be read from end to end: tables and indexes that stay small,
// by the words of SQLite's plans.
var small = regexp.MustCompile(`^SCAN (CONSTANT ROW|sqlite_schema|api_keys|queue_counters|waiting|latest|counted|\w+ USING INDEX executions_running|` +
	`\w+ USING INDEX (queue_counters_waiting|users_admin|batches_open|runtimes_open)|p USING COVERING INDEX sqlite_autoindex_programs_1)$`)

// wide says that a plan goes through all workflows of an organization, which no
// statement does that counts executions or lists them; but latest looks for the
// newest execution of each.
var wide = regexp.MustCompile(`^SEARCH \w+ USING (COVERING )?INDEX workflows_\w+ \(organization_id=\?\)`)

// FullScans asks SQLite for the plans of all statements that the store has
// prepared, and returns those that read a table from end to end. The second
// result is how many statements it looked at.
func (s *Store) FullScans(ctx context.Context) (found []string, looked int, err error) {
	seen := make(map[string]bool)
	explain := func(v *view) error {
		l := v.conn.link.(*preparedLink)
		for _, queries := range []iter.Seq[string]{maps.Keys(l.statements), maps.Keys(l.direct)} {
			for query := range queries {
				seen[query] = true
			}
		}
		return nil
	}
	if err := s.write(ctx, "collect", func(t *tx) error { return explain(&t.view) }); err != nil {
		return nil, 0, err
	}
	for range s.cfg.Readers { // the pool hands them out in turn
		if err := s.read(ctx, "collect", explain); err != nil {
			return nil, 0, err
		}
	}
	err = s.read(ctx, "explain", func(v *view) error {
		for query := range seen {
			if !strings.ContainsAny(query, " ") || strings.HasPrefix(query, "PRAGMA") {
				continue
			}
			looked++
			values := make(args, strings.Count(query, "?"))
			err := v.each("EXPLAIN QUERY PLAN "+query, values, func(scan scanner) error {
				var id, parent, unused int
				var detail string
				if err := scan(&id, &parent, &unused, &detail); err != nil {
					return err
				}
				history := strings.HasSuffix(detail, " executions_organization (organization_id=?)")
				runs := strings.Contains(query, "executions e") || strings.Contains(query, "_totals")
				all := runs && wide.MatchString(detail) && !strings.Contains(detail, "workflows_gone") && !strings.Contains(query, "AS latest")
				if strings.HasPrefix(detail, "SCAN ") && !small.MatchString(detail) || history || all {
					found = append(found, fmt.Sprintf("%s in %s", detail, query))
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, looked, err
}
