-- +goose Up

-- Who is told when executions of a workflow fail, and what is still to be told.
CREATE TABLE alerts (
    workflow_id     BLOB    NOT NULL REFERENCES workflows (id),
    kind            TEXT    NOT NULL CHECK (kind IN ('webhook', 'mail', 'handler')),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    -- How people know the receiver; empty for a handler.
    label           TEXT    NOT NULL CHECK (length(label) <= 320),
    -- The address and the key of a webhook, encrypted with the installation's key.
    sealed          BLOB,
    created_by_id   BLOB    CHECK (length(created_by_id) = 16),
    updated_at      INTEGER NOT NULL,
    -- The failures that no notice tells of yet, when the first of them was, and
    -- the last one's execution.
    failures        INTEGER NOT NULL CHECK (failures >= 0),
    first_at        INTEGER,
    execution_id    BLOB    CHECK (length(execution_id) = 16),
    -- The notice that is being sent, with the failures that it tells of, and how
    -- often that was tried.
    notice_id           BLOB    CHECK (length(notice_id) = 16),
    notice_failures     INTEGER NOT NULL CHECK (notice_failures >= 0),
    notice_first_at     INTEGER,
    notice_execution_id BLOB    CHECK (length(notice_execution_id) = 16),
    tries           INTEGER NOT NULL CHECK (tries >= 0),
    -- When something is to be done next; NULL for nothing.
    due_at          INTEGER,
    -- Before this time no new notice is made.
    quiet_at        INTEGER,
    sent_at         INTEGER,
    -- Why the last try failed; empty when it did not.
    problem         TEXT    NOT NULL CHECK (length(problem) <= 1000),
    PRIMARY KEY (workflow_id, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX alerts_due ON alerts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alerts_organization ON alerts (organization_id);
