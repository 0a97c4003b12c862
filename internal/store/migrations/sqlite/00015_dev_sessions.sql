-- +goose Up

-- Triggers that are there for development alone: no deployment declares them.
ALTER TABLE triggers ADD COLUMN dev_only INTEGER NOT NULL DEFAULT 0 CHECK (dev_only IN (0, 1));

-- Who runs a workflow's events on a machine of their own. A session is renewed
-- while its developer is connected; one that must end at once has an expires_at
-- that is its created_at, and is renewed no more.
CREATE TABLE dev_sessions (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    workflow_id     BLOB    NOT NULL REFERENCES workflows (id),
    -- A user or a service account.
    developer_id    BLOB    NOT NULL CHECK (length(developer_id) = 16),
    mirror          INTEGER NOT NULL CHECK (mirror IN (0, 1)),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- When it ends in any case.
    ends_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX dev_sessions_developer ON dev_sessions (workflow_id, developer_id);
CREATE INDEX dev_sessions_of ON dev_sessions (developer_id);
CREATE INDEX dev_sessions_expiry ON dev_sessions (expires_at);

-- The triggers whose events a session takes.
CREATE TABLE dev_triggers (
    session_id  BLOB NOT NULL REFERENCES dev_sessions (id),
    trigger_id  BLOB NOT NULL REFERENCES triggers (id),
    workflow_id BLOB NOT NULL REFERENCES workflows (id),
    PRIMARY KEY (session_id, trigger_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX dev_triggers_trigger ON dev_triggers (trigger_id);
CREATE INDEX dev_triggers_workflow ON dev_triggers (workflow_id);
