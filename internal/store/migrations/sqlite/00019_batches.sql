-- +goose Up

-- What is done to many executions in the background, in the order of their ids.
CREATE TABLE batches (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    workflow_id     BLOB    NOT NULL REFERENCES workflows (id),
    action          TEXT    NOT NULL CHECK (action IN ('replay', 'cancel')),
    -- The states of those that are meant, between commas.
    states          TEXT    NOT NULL CHECK (length(states) BETWEEN 1 AND 100),
    trigger_id      BLOB    CHECK (length(trigger_id) = 16),
    since           INTEGER,
    until           INTEGER NOT NULL,
    -- Who asked for it, and how people call them.
    created_by_id   BLOB    CHECK (length(created_by_id) = 16),
    created_by      TEXT    NOT NULL CHECK (length(created_by) <= 500),
    created_at      INTEGER NOT NULL,
    -- How many there were when it was made, and what became of those it reached.
    total           INTEGER NOT NULL CHECK (total >= 0),
    done            INTEGER NOT NULL CHECK (done >= 0),
    skipped         INTEGER NOT NULL CHECK (skipped >= 0),
    -- The last execution that it reached.
    reached_id      BLOB    CHECK (length(reached_id) = 16),
    ended_at        INTEGER,
    -- Why it ended before it had reached all; empty when it did.
    problem         TEXT    NOT NULL CHECK (length(problem) <= 1000)
) STRICT, WITHOUT ROWID;

CREATE INDEX batches_open ON batches (id) WHERE ended_at IS NULL;
CREATE INDEX batches_ended ON batches (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX batches_workflow ON batches (workflow_id, id);
CREATE INDEX batches_organization ON batches (organization_id);
