-- +goose Up
CREATE TABLE kv_tables (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    namespace_id    BLOB    NOT NULL REFERENCES namespaces (id),
    store           TEXT    NOT NULL CHECK (length(store) BETWEEN 1 AND 255),
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    items           INTEGER NOT NULL CHECK (items >= 0),
    -- The greatest version that a removed key had: a new one begins above it.
    last_version    INTEGER NOT NULL CHECK (last_version >= 0),
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX kv_tables_name ON kv_tables (namespace_id, store, name);
CREATE INDEX kv_tables_organization ON kv_tables (organization_id);

CREATE TABLE kv_items (
    table_id   BLOB    NOT NULL REFERENCES kv_tables (id),
    key        TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    value      TEXT    NOT NULL CHECK (length(CAST(value AS BLOB)) <= 1000000),
    version    INTEGER NOT NULL CHECK (version >= 1),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (table_id, key)
) STRICT;

CREATE TABLE kv_permissions (
    table_id    BLOB    NOT NULL REFERENCES kv_tables (id),
    workflow_id BLOB    NOT NULL REFERENCES workflows (id),
    can_read    INTEGER NOT NULL CHECK (can_read IN (0, 1)),
    can_write   INTEGER NOT NULL CHECK (can_write IN (0, 1)),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (table_id, workflow_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX kv_permissions_workflow ON kv_permissions (workflow_id);
