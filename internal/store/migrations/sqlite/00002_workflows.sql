-- +goose Up
CREATE TABLE workflows (
    id                   BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id      BLOB    NOT NULL REFERENCES organizations (id),
    namespace_id         BLOB    NOT NULL REFERENCES namespaces (id),
    name                 TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- The name in lower case of every script, for the search in lists.
    name_folded          TEXT    NOT NULL,
    description          TEXT    CHECK (length(description) <= 10000),
    active               INTEGER NOT NULL CHECK (active IN (0, 1)),
    active_deployment_id BLOB    CHECK (length(active_deployment_id) = 16),
    created_by_id        BLOB    CHECK (length(created_by_id) = 16),
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    deleted_at           INTEGER,
    version              INTEGER NOT NULL CHECK (version >= 1)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX workflows_name ON workflows (namespace_id, name) WHERE deleted_at IS NULL;
CREATE INDEX workflows_changed ON workflows (organization_id, updated_at, id);
CREATE INDEX workflows_deleted ON workflows (deleted_at) WHERE deleted_at IS NOT NULL;

-- A compiled program; deployments with equal code share it.
CREATE TABLE programs (
    hash           BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    engine         TEXT    NOT NULL,
    engine_version TEXT    NOT NULL,
    sdk_version    TEXT    NOT NULL,
    bridge         INTEGER NOT NULL,
    bundle         BLOB    NOT NULL,
    source_map     BLOB,
    bytecode       BLOB
) STRICT;

CREATE TABLE deployments (
    id                 BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id    BLOB    NOT NULL REFERENCES organizations (id),
    workflow_id        BLOB    NOT NULL REFERENCES workflows (id),
    status             TEXT    NOT NULL CHECK (status IN ('active', 'inactive', 'failed')),
    source_hash        BLOB    NOT NULL CHECK (length(source_hash) = 32),
    program_hash       BLOB    NOT NULL REFERENCES programs (hash),
    entrypoint         TEXT    NOT NULL,
    client_sdk_version TEXT    NOT NULL,
    providers          TEXT    NOT NULL,
    triggers           TEXT    NOT NULL,
    provider_mappings  TEXT,
    deployed_by_id     BLOB    CHECK (length(deployed_by_id) = 16),
    deployed_at        INTEGER NOT NULL,
    note               TEXT,
    deleted_at         INTEGER
) STRICT;

CREATE INDEX deployments_workflow ON deployments (workflow_id, id);
CREATE INDEX deployments_program ON deployments (program_hash);
CREATE INDEX deployments_deleted ON deployments (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX deployments_active ON deployments (workflow_id) WHERE status = 'active';

CREATE TABLE deployment_sources (
    deployment_id BLOB NOT NULL PRIMARY KEY REFERENCES deployments (id),
    entrypoint    TEXT NOT NULL,
    -- A JSON object from path to content.
    files         TEXT NOT NULL
) STRICT;

CREATE TABLE triggers (
    id                BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id   BLOB    NOT NULL REFERENCES organizations (id),
    workflow_id       BLOB    NOT NULL REFERENCES workflows (id),
    -- The SHA-256 of the declaration's identity, whose text has no bound.
    identity          BLOB    NOT NULL CHECK (length(identity) = 32),
    provider_type     TEXT    NOT NULL,
    provider_alias    TEXT    NOT NULL,
    type              TEXT    NOT NULL,
    input             TEXT,
    ordinal           INTEGER NOT NULL CHECK (ordinal >= 0),
    timeout_ms        INTEGER NOT NULL CHECK (timeout_ms >= 0),
    concurrency       INTEGER NOT NULL CHECK (concurrency >= 0),
    fail_on_interrupt INTEGER NOT NULL CHECK (fail_on_interrupt IN (0, 1)),
    created_at        INTEGER NOT NULL,
    deleted_at        INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX triggers_identity ON triggers (workflow_id, identity) WHERE deleted_at IS NULL;
CREATE INDEX triggers_workflow ON triggers (workflow_id, id);
CREATE INDEX triggers_organization ON triggers (organization_id);
CREATE INDEX triggers_deleted ON triggers (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE webhooks (
    id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    workflow_id     BLOB NOT NULL REFERENCES workflows (id),
    trigger_id      BLOB NOT NULL UNIQUE REFERENCES triggers (id),
    method          TEXT NOT NULL CHECK (length(method) BETWEEN 1 AND 16),
    path            TEXT NOT NULL CHECK (length(CAST(path AS BLOB)) BETWEEN 1 AND 2000)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX webhooks_address ON webhooks (method, path);
CREATE INDEX webhooks_workflow ON webhooks (workflow_id);
