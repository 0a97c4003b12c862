-- +goose Up
ALTER TABLE organizations ADD COLUMN name text COLLATE "C" CHECK (length(name) BETWEEN 1 AND 255);
ALTER TABLE organizations ADD COLUMN workos_id text CHECK (length(workos_id) BETWEEN 1 AND 255);
-- The one of the first start.
ALTER TABLE organizations ADD COLUMN is_default boolean NOT NULL DEFAULT false;
ALTER TABLE organizations ADD COLUMN updated_at timestamptz;
ALTER TABLE organizations ADD COLUMN deleted_at timestamptz;
UPDATE organizations SET name = replace(id::text, '-', ''), updated_at = created_at;
UPDATE organizations SET is_default = true WHERE id = (SELECT id FROM organizations ORDER BY created_at, id LIMIT 1);

CREATE UNIQUE INDEX organizations_name ON organizations (name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX organizations_workos ON organizations (workos_id) WHERE workos_id IS NOT NULL;
CREATE UNIQUE INDEX organizations_default ON organizations (is_default) WHERE is_default;
CREATE INDEX organizations_deleted ON organizations (deleted_at) WHERE deleted_at IS NOT NULL;

-- People. The subject is the provider's name for them, and their identity.
CREATE TABLE users (
    id            uuid             NOT NULL PRIMARY KEY,
    provider      text             NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
    subject       text             NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    -- What they type to log in with a password, in lower case.
    login         text COLLATE "C" CHECK (length(login) BETWEEN 1 AND 255),
    email         text COLLATE "C" NOT NULL CHECK (length(email) <= 320),
    first_name    text             NOT NULL CHECK (length(first_name) <= 255),
    last_name     text             NOT NULL CHECK (length(last_name) <= 255),
    password_hash text,
    is_admin      boolean          NOT NULL,
    created_at    timestamptz      NOT NULL,
    updated_at    timestamptz      NOT NULL,
    seen_at       timestamptz,
    disabled_at   timestamptz
);

CREATE UNIQUE INDEX users_subject ON users (provider, subject);
CREATE UNIQUE INDEX users_login ON users (login) WHERE login IS NOT NULL;

CREATE TABLE organization_members (
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    user_id         uuid        NOT NULL REFERENCES users (id),
    role            text        NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);

CREATE INDEX organization_members_user ON organization_members (user_id, organization_id);
