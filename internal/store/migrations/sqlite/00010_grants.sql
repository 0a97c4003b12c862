-- +goose Up
-- Roles that reach no further than one resource.
CREATE TABLE grants (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    principal_type  TEXT    NOT NULL CHECK (principal_type IN ('user', 'service_account', 'workflow', 'folder')),
    principal_id    BLOB    NOT NULL CHECK (length(principal_id) = 16),
    resource_type   TEXT    NOT NULL CHECK (resource_type IN ('workflow', 'folder', 'provider')),
    resource_id     BLOB    NOT NULL CHECK (length(resource_id) = 16),
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'user')),
    created_by_id   BLOB    CHECK (length(created_by_id) = 16),
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX grants_pair ON grants (principal_id, resource_id, principal_type, resource_type);
CREATE INDEX grants_resource ON grants (resource_id, id);
CREATE INDEX grants_organization ON grants (organization_id, id);
