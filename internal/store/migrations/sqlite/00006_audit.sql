-- +goose Up
-- What people and keys did. Each row holds the hash of the one before it, so
-- that a change of an old row shows.
CREATE TABLE audit_entries (
    seq             INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    at              INTEGER NOT NULL,
    organization_id BLOB    CHECK (length(organization_id) = 16),
    actor_kind      TEXT    NOT NULL,
    actor_id        BLOB    CHECK (length(actor_id) = 16),
    actor_name      TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    outcome         TEXT    NOT NULL CHECK (outcome IN ('done', 'refused')),
    target_type     TEXT    NOT NULL,
    target_id       TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    request_id      TEXT    NOT NULL,
    -- JSON of what was before and after; NULL where there is nothing.
    before_change   TEXT,
    after_change    TEXT,
    previous        BLOB    NOT NULL CHECK (length(previous) = 32),
    hash            BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_entries_organization ON audit_entries (organization_id, seq);
CREATE INDEX audit_entries_at ON audit_entries (at);

-- The end of the chain.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL CHECK (seq >= 0),
    hash BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

-- What shows that a server has the keys that this database was begun with.
CREATE TABLE key_checks (
    name   TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;
