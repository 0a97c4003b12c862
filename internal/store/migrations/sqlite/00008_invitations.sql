-- +goose Up
CREATE TABLE invitations (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    email           TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    role            TEXT    NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    -- The SHA-256 of the secret in the link.
    hash            BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- The provider's name for an invitation that the provider sends.
    external_id     TEXT,
    invited_by_id   BLOB    CHECK (length(invited_by_id) = 16),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    accepted_at     INTEGER,
    revoked_at      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX invitations_organization ON invitations (organization_id, id);
CREATE INDEX invitations_expires ON invitations (expires_at);
