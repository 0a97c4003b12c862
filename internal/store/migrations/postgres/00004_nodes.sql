-- +goose Up

-- The processes that run executions. A claim is alive while its incarnation is
-- here and its lease, by this database's clock, has not run out.
CREATE TABLE nodes (
    incarnation uuid        NOT NULL PRIMARY KEY,
    name        text        NOT NULL,
    started_at  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL
);
