-- +goose Up
CREATE TABLE workflows (
    id                   uuid             NOT NULL PRIMARY KEY,
    organization_id      uuid             NOT NULL REFERENCES organizations (id),
    namespace_id         uuid             NOT NULL REFERENCES namespaces (id),
    name                 text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- The name in lower case of every script, for the search in lists.
    name_folded          text COLLATE "C" NOT NULL,
    description          text             CHECK (length(description) <= 10000),
    active               boolean          NOT NULL,
    active_deployment_id uuid,
    created_by_id        uuid,
    created_at           timestamptz      NOT NULL,
    updated_at           timestamptz      NOT NULL,
    deleted_at           timestamptz,
    version              bigint           NOT NULL CHECK (version >= 1)
);

CREATE UNIQUE INDEX workflows_name ON workflows (namespace_id, name) WHERE deleted_at IS NULL;
CREATE INDEX workflows_changed ON workflows (organization_id, updated_at, id);
CREATE INDEX workflows_deleted ON workflows (deleted_at) WHERE deleted_at IS NOT NULL;

-- A compiled program; deployments with equal code share it.
CREATE TABLE programs (
    hash           bytea  NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    engine         text   NOT NULL,
    engine_version text   NOT NULL,
    sdk_version    text   NOT NULL,
    bridge         bigint NOT NULL,
    bundle         bytea  NOT NULL,
    source_map     bytea,
    bytecode       bytea
);

CREATE TABLE deployments (
    id                 uuid        NOT NULL PRIMARY KEY,
    organization_id    uuid        NOT NULL REFERENCES organizations (id),
    workflow_id        uuid        NOT NULL REFERENCES workflows (id),
    status             text        NOT NULL CHECK (status IN ('active', 'inactive', 'failed')),
    source_hash        bytea       NOT NULL CHECK (length(source_hash) = 32),
    program_hash       bytea       NOT NULL REFERENCES programs (hash),
    entrypoint         text        NOT NULL,
    client_sdk_version text        NOT NULL,
    providers          text        NOT NULL,
    triggers           text        NOT NULL,
    provider_mappings  text,
    deployed_by_id     uuid,
    deployed_at        timestamptz NOT NULL,
    note               text,
    deleted_at         timestamptz
);

CREATE INDEX deployments_workflow ON deployments (workflow_id, id);
CREATE INDEX deployments_program ON deployments (program_hash);
CREATE INDEX deployments_deleted ON deployments (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX deployments_active ON deployments (workflow_id) WHERE status = 'active';

CREATE TABLE deployment_sources (
    deployment_id uuid NOT NULL PRIMARY KEY REFERENCES deployments (id),
    entrypoint    text NOT NULL,
    -- A JSON object from path to content.
    files         text NOT NULL
);

CREATE TABLE triggers (
    id                uuid        NOT NULL PRIMARY KEY,
    organization_id   uuid        NOT NULL REFERENCES organizations (id),
    workflow_id       uuid        NOT NULL REFERENCES workflows (id),
    -- The SHA-256 of the declaration's identity, whose text has no bound.
    identity          bytea       NOT NULL CHECK (length(identity) = 32),
    provider_type     text        NOT NULL,
    provider_alias    text        NOT NULL,
    type              text        NOT NULL,
    input             text,
    ordinal           bigint      NOT NULL CHECK (ordinal >= 0),
    timeout_ms        bigint      NOT NULL CHECK (timeout_ms >= 0),
    concurrency       bigint      NOT NULL CHECK (concurrency >= 0),
    fail_on_interrupt boolean     NOT NULL,
    created_at        timestamptz NOT NULL,
    deleted_at        timestamptz
);

CREATE UNIQUE INDEX triggers_identity ON triggers (workflow_id, identity) WHERE deleted_at IS NULL;
CREATE INDEX triggers_workflow ON triggers (workflow_id, id);
CREATE INDEX triggers_organization ON triggers (organization_id);
CREATE INDEX triggers_deleted ON triggers (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE webhooks (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    workflow_id     uuid             NOT NULL REFERENCES workflows (id),
    trigger_id      uuid             NOT NULL UNIQUE REFERENCES triggers (id),
    method          text COLLATE "C" NOT NULL CHECK (length(method) BETWEEN 1 AND 16),
    path            text COLLATE "C" NOT NULL CHECK (octet_length(path) BETWEEN 1 AND 2000)
);

CREATE UNIQUE INDEX webhooks_address ON webhooks (method, path);
CREATE INDEX webhooks_workflow ON webhooks (workflow_id);
