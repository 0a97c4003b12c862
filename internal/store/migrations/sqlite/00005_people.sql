-- +goose Up
ALTER TABLE organizations ADD COLUMN name TEXT CHECK (length(name) BETWEEN 1 AND 255);
ALTER TABLE organizations ADD COLUMN workos_id TEXT CHECK (length(workos_id) BETWEEN 1 AND 255);
-- The one of the first start.
ALTER TABLE organizations ADD COLUMN is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1));
ALTER TABLE organizations ADD COLUMN updated_at INTEGER;
ALTER TABLE organizations ADD COLUMN deleted_at INTEGER;
UPDATE organizations SET name = lower(hex(id)), updated_at = created_at;
UPDATE organizations SET is_default = 1 WHERE id = (SELECT id FROM organizations ORDER BY created_at, id LIMIT 1);

CREATE UNIQUE INDEX organizations_name ON organizations (name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX organizations_workos ON organizations (workos_id) WHERE workos_id IS NOT NULL;
CREATE UNIQUE INDEX organizations_default ON organizations (is_default) WHERE is_default;
CREATE INDEX organizations_deleted ON organizations (deleted_at) WHERE deleted_at IS NOT NULL;

-- People. The subject is the provider's name for them, and their identity.
CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    provider      TEXT    NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
    subject       TEXT    NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    -- What they type to log in with a password, in lower case.
    login         TEXT    CHECK (length(login) BETWEEN 1 AND 255),
    email         TEXT    NOT NULL CHECK (length(email) <= 320),
    first_name    TEXT    NOT NULL CHECK (length(first_name) <= 255),
    last_name     TEXT    NOT NULL CHECK (length(last_name) <= 255),
    password_hash TEXT,
    is_admin      INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    seen_at       INTEGER,
    disabled_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX users_subject ON users (provider, subject);
CREATE UNIQUE INDEX users_login ON users (login) WHERE login IS NOT NULL;

CREATE TABLE organization_members (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    user_id         BLOB    NOT NULL REFERENCES users (id),
    role            TEXT    NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX organization_members_user ON organization_members (user_id, organization_id);
