-- +goose Up
CREATE TABLE kv_tables (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    namespace_id    uuid        NOT NULL REFERENCES namespaces (id),
    store           text        COLLATE "C" NOT NULL CHECK (length(store) BETWEEN 1 AND 255),
    name            text        COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    items           bigint      NOT NULL CHECK (items >= 0),
    -- The greatest version that a removed key had: a new one begins above it.
    last_version    bigint      NOT NULL CHECK (last_version >= 0),
    created_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX kv_tables_name ON kv_tables (namespace_id, store, name);
CREATE INDEX kv_tables_organization ON kv_tables (organization_id);

CREATE TABLE kv_items (
    table_id   uuid        NOT NULL REFERENCES kv_tables (id),
    key        text        COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    value      text        NOT NULL CHECK (octet_length(value) <= 1000000),
    version    bigint      NOT NULL CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (table_id, key)
);

CREATE TABLE kv_permissions (
    table_id    uuid        NOT NULL REFERENCES kv_tables (id),
    workflow_id uuid        NOT NULL REFERENCES workflows (id),
    can_read    boolean     NOT NULL,
    can_write   boolean     NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (table_id, workflow_id)
);

CREATE INDEX kv_permissions_workflow ON kv_permissions (workflow_id);
