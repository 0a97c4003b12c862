-- +goose Up

-- What caused an execution. Bodies are in the row, for other machines need them
-- too; body_hash is for databases that keep large ones in files.
CREATE TABLE events (
    id              uuid    NOT NULL PRIMARY KEY,
    organization_id uuid    NOT NULL,
    fields          text,
    has_body        boolean NOT NULL,
    content_type    text    NOT NULL,
    body_hash       bytea   CHECK (length(body_hash) = 32),
    body            bytea
);

CREATE INDEX events_body ON events (body_hash) WHERE body_hash IS NOT NULL;

-- The queue and the history. The tables that each run writes carry no foreign
-- keys: checking them costs a seventh of a run's time, and all their rows are
-- made by units that have just read what the rows point to.
CREATE TABLE executions (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL,
    workflow_id     uuid             NOT NULL,
    trigger_id      uuid             NOT NULL,
    event_id        uuid             NOT NULL,
    deployment_id   uuid,
    program_hash    bytea            CHECK (length(program_hash) = 32),
    state           text             NOT NULL CHECK (state IN
                        ('received', 'started', 'completed', 'failed', 'timeout', 'cancelled', 'no_deployment')),
    attempt         bigint           NOT NULL CHECK (attempt >= 0),
    interruptions   bigint           NOT NULL CHECK (interruptions >= 0),
    claimed_by      uuid,
    received_at     timestamptz      NOT NULL,
    available_at    timestamptz,
    started_at      timestamptz,
    completed_at    timestamptz,
    duration_ms     bigint           CHECK (duration_ms >= 0),
    provider_type   text             NOT NULL,
    provider_alias  text             NOT NULL,
    trigger_type    text             NOT NULL,
    method          text COLLATE "C" NOT NULL,
    path            text COLLATE "C" NOT NULL,
    error           text             NOT NULL,
    stack           text             NOT NULL,
    result          text,
    CHECK ((state = 'started') = (claimed_by IS NOT NULL)),
    CHECK ((state IN ('received', 'started')) = (completed_at IS NULL)),
    CHECK (state <> 'started' OR (attempt > 0 AND deployment_id IS NOT NULL AND program_hash IS NOT NULL))
);

CREATE INDEX executions_workflow ON executions (workflow_id, id);
CREATE INDEX executions_waiting ON executions (organization_id, trigger_id, id) WHERE state = 'received';
CREATE INDEX executions_running ON executions (trigger_id, claimed_by) WHERE state = 'started';
-- The rare states have a list of their own, so that a page of one of them does
-- not read the whole history.
CREATE INDEX executions_rare ON executions (workflow_id, state, id) WHERE state NOT IN ('received', 'started', 'completed');

-- One row for each attempt that ended.
CREATE TABLE attempts (
    execution_id uuid        NOT NULL,
    n            bigint      NOT NULL CHECK (n > 0),
    incarnation  uuid        NOT NULL,
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL,
    outcome      text        NOT NULL CHECK (outcome IN ('completed', 'failed', 'timeout', 'cancelled', 'interrupted')),
    error        text        NOT NULL,
    PRIMARY KEY (execution_id, n)
);

CREATE TABLE log_chunks (
    execution_id uuid   NOT NULL,
    attempt      bigint NOT NULL CHECK (attempt > 0),
    first_line   bigint NOT NULL CHECK (first_line > 0),
    lines        bigint NOT NULL CHECK (lines > 0),
    data         bytea  NOT NULL,
    PRIMARY KEY (execution_id, attempt, first_line)
);

-- Deliveries seen, so that one that comes again is accepted once. The key is
-- the SHA-256 of the sender's name for it.
CREATE TABLE deliveries (
    trigger_id      uuid        NOT NULL,
    key             bytea       NOT NULL CHECK (length(key) = 32),
    organization_id uuid        NOT NULL,
    execution_id    uuid        NOT NULL,
    body_hash       bytea       NOT NULL CHECK (length(body_hash) = 32),
    received_at     timestamptz NOT NULL,
    PRIMARY KEY (trigger_id, key)
);

CREATE INDEX deliveries_received ON deliveries (received_at);

CREATE TABLE queue_counters (
    organization_id uuid   NOT NULL PRIMARY KEY,
    waiting         bigint NOT NULL CHECK (waiting >= 0),
    running         bigint NOT NULL CHECK (running >= 0),
    -- Grows with each claim; the organization with the smallest is next.
    last_turn       bigint NOT NULL
);

CREATE INDEX queue_counters_waiting ON queue_counters (organization_id) WHERE waiting > 0;
CREATE INDEX queue_counters_turn ON queue_counters (last_turn);

-- Ended executions by the UTC day they were received on, counted from
-- 1970-01-01.
CREATE TABLE daily_totals (
    workflow_id     uuid   NOT NULL REFERENCES workflows (id),
    day             bigint NOT NULL,
    state           text   NOT NULL CHECK (state IN ('completed', 'failed', 'timeout', 'cancelled', 'no_deployment')),
    organization_id uuid   NOT NULL,
    count           bigint NOT NULL CHECK (count >= 0),
    duration_ms     bigint NOT NULL CHECK (duration_ms >= 0),
    -- How many of them retention has removed.
    purged          bigint NOT NULL CHECK (purged BETWEEN 0 AND count),
    PRIMARY KEY (workflow_id, day, state)
);

CREATE INDEX daily_totals_gone ON daily_totals (day) WHERE purged = count;
