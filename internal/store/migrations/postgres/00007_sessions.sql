-- +goose Up
-- Browsers that are logged in.
CREATE TABLE sessions (
    id               uuid        NOT NULL PRIMARY KEY,
    user_id          uuid        NOT NULL REFERENCES users (id),
    -- The SHA-256 of the cookie.
    hash             bytea       NOT NULL UNIQUE CHECK (length(hash) = 32),
    address          text        NOT NULL,
    user_agent       text        NOT NULL,
    created_at       timestamptz NOT NULL,
    seen_at          timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    -- What the provider gave, encrypted, and until when it stands for the login.
    provider_tokens  bytea,
    provider_until   timestamptz,
    -- The provider's name for the session, by which it may end it.
    provider_session text,
    -- When somebody last began to ask the provider again, until it answered.
    renewing_at      timestamptz
);

CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- Links that work once: to make the first account, and to choose a password.
CREATE TABLE one_time_links (
    hash       bytea       NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    purpose    text        NOT NULL CHECK (purpose IN ('setup', 'password')),
    user_id    uuid        REFERENCES users (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CHECK ((purpose = 'setup') = (user_id IS NULL))
);

CREATE INDEX one_time_links_expires ON one_time_links (expires_at);
CREATE INDEX one_time_links_user ON one_time_links (user_id);
