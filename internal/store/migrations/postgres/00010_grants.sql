-- +goose Up
-- Roles that reach no further than one resource.
CREATE TABLE grants (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    principal_type  text        NOT NULL CHECK (principal_type IN ('user', 'service_account', 'workflow', 'folder')),
    principal_id    uuid        NOT NULL,
    resource_type   text        NOT NULL CHECK (resource_type IN ('workflow', 'folder', 'provider')),
    resource_id     uuid        NOT NULL,
    role            text        NOT NULL CHECK (role IN ('owner', 'user')),
    created_by_id   uuid,
    created_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX grants_pair ON grants (principal_id, resource_id, principal_type, resource_type);
CREATE INDEX grants_resource ON grants (resource_id, id);
CREATE INDEX grants_organization ON grants (organization_id, id);
