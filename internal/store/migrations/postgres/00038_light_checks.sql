-- +goose Up

-- The conditions are those of SQLite, for which they are lighter like this.
DROP INDEX executions_rare;
DROP INDEX executions_organization_rare;
CREATE INDEX executions_rare ON executions (workflow_id, state, id)
    WHERE state <> 'received' AND state <> 'started' AND state <> 'completed';
CREATE INDEX executions_organization_rare ON executions (organization_id, state, id)
    WHERE state <> 'received' AND state <> 'started' AND state <> 'completed';
