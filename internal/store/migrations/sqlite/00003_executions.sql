-- +goose Up

-- What caused an execution. A body above 64 KiB is a file named after its hash.
CREATE TABLE events (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    fields          TEXT,
    has_body        INTEGER NOT NULL CHECK (has_body IN (0, 1)),
    content_type    TEXT    NOT NULL,
    body_hash       BLOB    CHECK (length(body_hash) = 32),
    body            BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX events_body ON events (body_hash) WHERE body_hash IS NOT NULL;

-- The queue and the history. The tables that each run writes carry no foreign
-- keys: checking them costs a seventh of a run's time, and all their rows are
-- made by units that have just read what the rows point to.
CREATE TABLE executions (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    workflow_id     BLOB    NOT NULL CHECK (length(workflow_id) = 16),
    trigger_id      BLOB    NOT NULL CHECK (length(trigger_id) = 16),
    event_id        BLOB    NOT NULL CHECK (length(event_id) = 16),
    deployment_id   BLOB    CHECK (length(deployment_id) = 16),
    program_hash    BLOB    CHECK (length(program_hash) = 32),
    state           TEXT    NOT NULL CHECK (state IN
                        ('received', 'started', 'completed', 'failed', 'timeout', 'cancelled', 'no_deployment')),
    attempt         INTEGER NOT NULL CHECK (attempt >= 0),
    interruptions   INTEGER NOT NULL CHECK (interruptions >= 0),
    claimed_by      BLOB    CHECK (length(claimed_by) = 16),
    received_at     INTEGER NOT NULL,
    available_at    INTEGER,
    started_at      INTEGER,
    completed_at    INTEGER,
    duration_ms     INTEGER CHECK (duration_ms >= 0),
    provider_type   TEXT    NOT NULL,
    provider_alias  TEXT    NOT NULL,
    trigger_type    TEXT    NOT NULL,
    method          TEXT    NOT NULL,
    path            TEXT    NOT NULL,
    error           TEXT    NOT NULL,
    stack           TEXT    NOT NULL,
    result          TEXT,
    CHECK ((state = 'started') = (claimed_by IS NOT NULL)),
    CHECK ((state IN ('received', 'started')) = (completed_at IS NULL)),
    CHECK (state <> 'started' OR (attempt > 0 AND deployment_id IS NOT NULL AND program_hash IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX executions_workflow ON executions (workflow_id, id);
CREATE INDEX executions_waiting ON executions (organization_id, trigger_id, id) WHERE state = 'received';
CREATE INDEX executions_running ON executions (trigger_id, claimed_by) WHERE state = 'started';
-- The rare states have a list of their own, so that a page of one of them does
-- not read the whole history.
CREATE INDEX executions_rare ON executions (workflow_id, state, id) WHERE state NOT IN ('received', 'started', 'completed');

-- One row for each attempt that ended.
CREATE TABLE attempts (
    execution_id BLOB    NOT NULL CHECK (length(execution_id) = 16),
    n            INTEGER NOT NULL CHECK (n > 0),
    incarnation  BLOB    NOT NULL CHECK (length(incarnation) = 16),
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    outcome      TEXT    NOT NULL CHECK (outcome IN ('completed', 'failed', 'timeout', 'cancelled', 'interrupted')),
    error        TEXT    NOT NULL,
    PRIMARY KEY (execution_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_chunks (
    execution_id BLOB    NOT NULL CHECK (length(execution_id) = 16),
    attempt      INTEGER NOT NULL CHECK (attempt > 0),
    first_line   INTEGER NOT NULL CHECK (first_line > 0),
    lines        INTEGER NOT NULL CHECK (lines > 0),
    data         BLOB    NOT NULL,
    PRIMARY KEY (execution_id, attempt, first_line)
) STRICT, WITHOUT ROWID;

-- Deliveries seen, so that one that comes again is accepted once. The key is
-- the SHA-256 of the sender's name for it.
CREATE TABLE deliveries (
    trigger_id      BLOB    NOT NULL CHECK (length(trigger_id) = 16),
    key             BLOB    NOT NULL CHECK (length(key) = 32),
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    execution_id    BLOB    NOT NULL CHECK (length(execution_id) = 16),
    body_hash       BLOB    NOT NULL CHECK (length(body_hash) = 32),
    received_at     INTEGER NOT NULL,
    PRIMARY KEY (trigger_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_received ON deliveries (received_at);

CREATE TABLE queue_counters (
    organization_id BLOB    NOT NULL PRIMARY KEY CHECK (length(organization_id) = 16),
    waiting         INTEGER NOT NULL CHECK (waiting >= 0),
    running         INTEGER NOT NULL CHECK (running >= 0),
    -- Grows with each claim; the organization with the smallest is next.
    last_turn       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX queue_counters_waiting ON queue_counters (organization_id) WHERE waiting > 0;
CREATE INDEX queue_counters_turn ON queue_counters (last_turn);

-- Ended executions by the UTC day they were received on, counted from
-- 1970-01-01.
CREATE TABLE daily_totals (
    workflow_id     BLOB    NOT NULL REFERENCES workflows (id),
    day             INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('completed', 'failed', 'timeout', 'cancelled', 'no_deployment')),
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    count           INTEGER NOT NULL CHECK (count >= 0),
    duration_ms     INTEGER NOT NULL CHECK (duration_ms >= 0),
    -- How many of them retention has removed.
    purged          INTEGER NOT NULL CHECK (purged BETWEEN 0 AND count),
    PRIMARY KEY (workflow_id, day, state)
) STRICT, WITHOUT ROWID;

CREATE INDEX daily_totals_gone ON daily_totals (day) WHERE purged = count;
