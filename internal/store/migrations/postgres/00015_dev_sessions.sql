-- +goose Up

-- Triggers that are there for development alone: no deployment declares them.
ALTER TABLE triggers ADD COLUMN dev_only boolean NOT NULL DEFAULT FALSE;

-- Who runs a workflow's events on a machine of their own. A session is renewed
-- while its developer is connected; one that must end at once has an expires_at
-- that is its created_at, and is renewed no more.
CREATE TABLE dev_sessions (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    workflow_id     uuid        NOT NULL REFERENCES workflows (id),
    -- A user or a service account.
    developer_id    uuid        NOT NULL,
    mirror          boolean     NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    -- When it ends in any case.
    ends_at         timestamptz NOT NULL
);

CREATE UNIQUE INDEX dev_sessions_developer ON dev_sessions (workflow_id, developer_id);
CREATE INDEX dev_sessions_of ON dev_sessions (developer_id);
CREATE INDEX dev_sessions_expiry ON dev_sessions (expires_at);

-- The triggers whose events a session takes.
CREATE TABLE dev_triggers (
    session_id  uuid NOT NULL REFERENCES dev_sessions (id),
    trigger_id  uuid NOT NULL REFERENCES triggers (id),
    workflow_id uuid NOT NULL REFERENCES workflows (id),
    PRIMARY KEY (session_id, trigger_id)
);

CREATE INDEX dev_triggers_trigger ON dev_triggers (trigger_id);
CREATE INDEX dev_triggers_workflow ON dev_triggers (workflow_id);
