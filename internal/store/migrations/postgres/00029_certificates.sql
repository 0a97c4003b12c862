-- +goose Up

-- What was got from certificate authorities for the server's own domains, and on
-- the way to it.
CREATE TABLE certificates (
    name       text        NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 300),
    sealed     bytea       NOT NULL,
    updated_at timestamptz NOT NULL
);
