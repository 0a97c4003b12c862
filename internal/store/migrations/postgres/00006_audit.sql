-- +goose Up
-- What people and keys did. Each row holds the hash of the one before it, so
-- that a change of an old row shows.
CREATE TABLE audit_entries (
    seq             bigint      NOT NULL PRIMARY KEY CHECK (seq > 0),
    id              uuid        NOT NULL UNIQUE,
    at              timestamptz NOT NULL,
    organization_id uuid,
    actor_kind      text        NOT NULL,
    actor_id        uuid,
    actor_name      text        NOT NULL,
    action          text        NOT NULL,
    outcome         text        NOT NULL CHECK (outcome IN ('done', 'refused')),
    target_type     text        NOT NULL,
    target_id       text        NOT NULL,
    address         text        NOT NULL,
    request_id      text        NOT NULL,
    -- JSON of what was before and after; NULL where there is nothing.
    before_change   text,
    after_change    text,
    previous        bytea       NOT NULL CHECK (length(previous) = 32),
    hash            bytea       NOT NULL CHECK (length(hash) = 32)
);

CREATE INDEX audit_entries_organization ON audit_entries (organization_id, seq);
CREATE INDEX audit_entries_at ON audit_entries (at);

-- The end of the chain.
CREATE TABLE audit_head (
    id   bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  bigint NOT NULL CHECK (seq >= 0),
    hash bytea  NOT NULL CHECK (length(hash) = 32)
);

-- What shows that a server has the keys that this database was begun with.
CREATE TABLE key_checks (
    name   text COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
    digest bytea            NOT NULL CHECK (length(digest) = 32)
);
