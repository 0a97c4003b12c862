-- +goose Up
CREATE TABLE invitations (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    email           text COLLATE "C" NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    role            text             NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    -- The SHA-256 of the secret in the link.
    hash            bytea            NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- The provider's name for an invitation that the provider sends.
    external_id     text,
    invited_by_id   uuid,
    created_at      timestamptz      NOT NULL,
    expires_at      timestamptz      NOT NULL,
    accepted_at     timestamptz,
    revoked_at      timestamptz
);

CREATE INDEX invitations_organization ON invitations (organization_id, id);
CREATE INDEX invitations_expires ON invitations (expires_at);
