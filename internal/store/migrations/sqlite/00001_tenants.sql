-- +goose Up
CREATE TABLE organizations (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    display_name TEXT    NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE namespaces (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX namespaces_organization ON namespaces (organization_id, id);

CREATE TABLE service_accounts (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    role            TEXT    NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX service_accounts_organization ON service_accounts (organization_id);

CREATE TABLE api_keys (
    id                 BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    service_account_id BLOB    NOT NULL REFERENCES service_accounts (id),
    organization_id    BLOB    NOT NULL REFERENCES organizations (id),
    name               TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    prefix             TEXT    NOT NULL CHECK (length(prefix) <= 32),
    hash               BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at         INTEGER NOT NULL,
    last_used_at       INTEGER,
    revoked_at         INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_service_account ON api_keys (service_account_id);
CREATE INDEX api_keys_organization ON api_keys (organization_id);
