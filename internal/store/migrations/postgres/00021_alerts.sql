-- +goose Up

-- Who is told when executions of a workflow fail, and what is still to be told.
CREATE TABLE alerts (
    workflow_id     uuid    NOT NULL REFERENCES workflows (id),
    kind            text    NOT NULL CHECK (kind IN ('webhook', 'mail', 'handler')),
    organization_id uuid    NOT NULL REFERENCES organizations (id),
    -- How people know the receiver; empty for a handler.
    label           text    NOT NULL CHECK (length(label) <= 320),
    -- The address and the key of a webhook, encrypted with the installation's key.
    sealed          bytea,
    created_by_id   uuid,
    updated_at      timestamptz NOT NULL,
    -- The failures that no notice tells of yet, when the first of them was, and
    -- the last one's execution.
    failures        bigint  NOT NULL CHECK (failures >= 0),
    first_at        timestamptz,
    execution_id    uuid,
    -- The notice that is being sent, with the failures that it tells of, and how
    -- often that was tried.
    notice_id           uuid,
    notice_failures     bigint  NOT NULL CHECK (notice_failures >= 0),
    notice_first_at     timestamptz,
    notice_execution_id uuid,
    tries           bigint  NOT NULL CHECK (tries >= 0),
    -- When something is to be done next; NULL for nothing.
    due_at          timestamptz,
    -- Before this time no new notice is made.
    quiet_at        timestamptz,
    sent_at         timestamptz,
    -- Why the last try failed; empty when it did not.
    problem         text    NOT NULL CHECK (length(problem) <= 1000),
    PRIMARY KEY (workflow_id, kind)
);

CREATE INDEX alerts_due ON alerts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alerts_organization ON alerts (organization_id);
