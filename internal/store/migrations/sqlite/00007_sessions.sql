-- +goose Up
-- Browsers that are logged in.
CREATE TABLE sessions (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id          BLOB    NOT NULL REFERENCES users (id),
    -- The SHA-256 of the cookie.
    hash             BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    address          TEXT    NOT NULL,
    user_agent       TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    seen_at          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    -- What the provider gave, encrypted, and until when it stands for the login.
    provider_tokens  BLOB,
    provider_until   INTEGER,
    -- The provider's name for the session, by which it may end it.
    provider_session TEXT,
    -- When somebody last began to ask the provider again, until it answered.
    renewing_at      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- Links that work once: to make the first account, and to choose a password.
CREATE TABLE one_time_links (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    purpose    TEXT    NOT NULL CHECK (purpose IN ('setup', 'password')),
    user_id    BLOB    REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CHECK ((purpose = 'setup') = (user_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_links_expires ON one_time_links (expires_at);
CREATE INDEX one_time_links_user ON one_time_links (user_id);
