-- +goose Up
CREATE TABLE secrets (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    namespace_id    BLOB    NOT NULL REFERENCES namespaces (id),
    provider        TEXT    NOT NULL CHECK (length(provider) BETWEEN 1 AND 255),
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- Encrypted with the installation's key.
    sealed          BLOB    NOT NULL,
    created_by_id   BLOB    CHECK (length(created_by_id) = 16),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX secrets_name ON secrets (namespace_id, provider, name);
CREATE INDEX secrets_organization ON secrets (organization_id);

-- The secrets that a program asks for, as JSON; NULL for none.
ALTER TABLE programs ADD COLUMN secrets TEXT;
