-- +goose Up

-- SQLite makes a list of more than two values into a table of its own, anew in
-- each statement that looks something up in it. Those of what every run writes are
-- comparisons instead, which says the same: this is what the statements cost
-- that begin and end a run, nearly half of it.
DROP INDEX executions_rare;
DROP INDEX executions_organization_rare;

-- Conditions that allow the same can be written over where they stand, by which no
-- row is read.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'state IN
                        (''received'', ''started'', ''completed'', ''failed'', ''timeout'', ''cancelled'', ''no_deployment'')',
    'state = ''completed'' OR state = ''started'' OR state = ''received'' OR state = ''failed'' OR state = ''timeout'' OR state = ''cancelled'' OR state = ''no_deployment''')
WHERE type = 'table' AND name = 'executions';
UPDATE sqlite_schema SET sql = replace(sql, 'outcome IN (''completed'', ''failed'', ''timeout'', ''cancelled'', ''interrupted'')',
    'outcome = ''completed'' OR outcome = ''failed'' OR outcome = ''timeout'' OR outcome = ''cancelled'' OR outcome = ''interrupted''')
WHERE type = 'table' AND name = 'attempts';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''completed'', ''failed'', ''timeout'', ''cancelled'', ''no_deployment'')',
    'state = ''completed'' OR state = ''failed'' OR state = ''timeout'' OR state = ''cancelled'' OR state = ''no_deployment''')
WHERE type = 'table' AND name IN ('daily_totals', 'hourly_totals');
PRAGMA writable_schema = RESET;

CREATE INDEX executions_rare ON executions (workflow_id, state, id)
    WHERE state <> 'received' AND state <> 'started' AND state <> 'completed';
CREATE INDEX executions_organization_rare ON executions (organization_id, state, id)
    WHERE state <> 'received' AND state <> 'started' AND state <> 'completed';
