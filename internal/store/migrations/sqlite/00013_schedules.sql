-- +goose Up

-- When triggers with a schedule fire next.
CREATE TABLE schedules (
    trigger_id      BLOB    NOT NULL PRIMARY KEY REFERENCES triggers (id),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    workflow_id     BLOB    NOT NULL REFERENCES workflows (id),
    next_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX schedules_next ON schedules (next_at);
CREATE INDEX schedules_workflow ON schedules (workflow_id);
