-- +goose Up

-- The processes that run executions. A claim is alive while its incarnation is
-- here and its lease has not run out.
CREATE TABLE nodes (
    incarnation BLOB    NOT NULL PRIMARY KEY CHECK (length(incarnation) = 16),
    name        TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
