-- +goose Up
CREATE TABLE secrets (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    namespace_id    uuid        NOT NULL REFERENCES namespaces (id),
    provider        text        COLLATE "C" NOT NULL CHECK (length(provider) BETWEEN 1 AND 255),
    name            text        COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- Encrypted with the installation's key.
    sealed          bytea       NOT NULL,
    created_by_id   uuid,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX secrets_name ON secrets (namespace_id, provider, name);
CREATE INDEX secrets_organization ON secrets (organization_id);

-- The secrets that a program asks for, as JSON; NULL for none.
ALTER TABLE programs ADD COLUMN secrets text;
