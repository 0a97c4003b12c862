-- +goose Up

-- When triggers with a schedule fire next.
CREATE TABLE schedules (
    trigger_id      uuid        NOT NULL PRIMARY KEY REFERENCES triggers (id),
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    workflow_id     uuid        NOT NULL REFERENCES workflows (id),
    next_at         timestamptz NOT NULL
);

CREATE INDEX schedules_next ON schedules (next_at);
CREATE INDEX schedules_workflow ON schedules (workflow_id);
