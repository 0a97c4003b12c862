-- +goose Up

-- What is done to many executions in the background, in the order of their ids.
CREATE TABLE batches (
    id              uuid    NOT NULL PRIMARY KEY,
    organization_id uuid    NOT NULL REFERENCES organizations (id),
    workflow_id     uuid    NOT NULL REFERENCES workflows (id),
    action          text    NOT NULL CHECK (action IN ('replay', 'cancel')),
    -- The states of those that are meant, between commas.
    states          text    NOT NULL CHECK (length(states) BETWEEN 1 AND 100),
    trigger_id      uuid,
    since           timestamptz,
    until           timestamptz NOT NULL,
    -- Who asked for it, and how people call them.
    created_by_id   uuid,
    created_by      text    NOT NULL CHECK (length(created_by) <= 500),
    created_at      timestamptz NOT NULL,
    -- How many there were when it was made, and what became of those it reached.
    total           bigint NOT NULL CHECK (total >= 0),
    done            bigint NOT NULL CHECK (done >= 0),
    skipped         bigint NOT NULL CHECK (skipped >= 0),
    -- The last execution that it reached.
    reached_id      uuid,
    ended_at        timestamptz,
    -- Why it ended before it had reached all; empty when it did.
    problem         text    NOT NULL CHECK (length(problem) <= 1000)
);

CREATE INDEX batches_open ON batches (id) WHERE ended_at IS NULL;
CREATE INDEX batches_ended ON batches (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX batches_workflow ON batches (workflow_id, id);
CREATE INDEX batches_organization ON batches (organization_id);
