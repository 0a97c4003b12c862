-- +goose Up

-- What ran in an organization, whichever workflow it is of, the rare states apart
-- as in executions_rare.
CREATE INDEX executions_organization ON executions (organization_id, id);
CREATE INDEX executions_organization_rare ON executions (organization_id, state, id) WHERE state NOT IN ('received', 'started', 'completed');
