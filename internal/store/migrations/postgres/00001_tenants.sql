-- +goose Up
CREATE TABLE organizations (
    id           uuid        NOT NULL PRIMARY KEY,
    display_name text        NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
    created_at   timestamptz NOT NULL
);

CREATE TABLE namespaces (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    created_at      timestamptz NOT NULL
);

CREATE INDEX namespaces_organization ON namespaces (organization_id, id);

CREATE TABLE service_accounts (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    name            text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    role            text             NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    created_at      timestamptz      NOT NULL
);

CREATE INDEX service_accounts_organization ON service_accounts (organization_id);

CREATE TABLE api_keys (
    id                 uuid             NOT NULL PRIMARY KEY,
    service_account_id uuid             NOT NULL REFERENCES service_accounts (id),
    organization_id    uuid             NOT NULL REFERENCES organizations (id),
    name               text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    prefix             text             NOT NULL CHECK (length(prefix) <= 32),
    hash               bytea            NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at         timestamptz      NOT NULL,
    last_used_at       timestamptz,
    revoked_at         timestamptz
);

CREATE INDEX api_keys_service_account ON api_keys (service_account_id);
CREATE INDEX api_keys_organization ON api_keys (organization_id);
