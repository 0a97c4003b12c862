-- +goose Up
-- Command lines that are logged in: each has one family of refresh tokens,
-- which follow one another. A login that was ended has no row.
CREATE TABLE token_families (
    id         uuid             NOT NULL PRIMARY KEY,
    user_id    uuid             NOT NULL REFERENCES users (id),
    -- What the command line called itself.
    name       text COLLATE "C" NOT NULL CHECK (length(name) <= 255),
    address    text COLLATE "C" NOT NULL CHECK (length(address) <= 255),
    created_at timestamptz      NOT NULL,
    seen_at    timestamptz      NOT NULL,
    expires_at timestamptz      NOT NULL
);

CREATE INDEX token_families_user ON token_families (user_id, seen_at);
CREATE INDEX token_families_expires ON token_families (expires_at);

CREATE TABLE refresh_tokens (
    -- The SHA-256 of the token.
    hash        bytea       NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    family_id   uuid        NOT NULL REFERENCES token_families (id),
    created_at  timestamptz NOT NULL,
    -- When the next one was given out for it.
    replaced_at timestamptz
);

CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id, replaced_at);
CREATE INDEX refresh_tokens_replaced ON refresh_tokens (replaced_at) WHERE replaced_at IS NOT NULL;

-- Command lines that wait to be logged in: RFC 8628.
CREATE TABLE device_codes (
    -- The SHA-256 of the device code.
    hash        bytea            NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    user_code   text COLLATE "C" NOT NULL UNIQUE CHECK (length(user_code) BETWEEN 8 AND 16),
    status      text             NOT NULL CHECK (status IN ('pending', 'approved', 'denied')),
    user_id     uuid             REFERENCES users (id),
    name        text COLLATE "C" NOT NULL CHECK (length(name) <= 255),
    address     text COLLATE "C" NOT NULL CHECK (length(address) <= 255),
    -- The least time between two polls.
    interval_ms bigint           NOT NULL CHECK (interval_ms > 0),
    polled_at   timestamptz,
    created_at  timestamptz      NOT NULL,
    expires_at  timestamptz      NOT NULL,
    CHECK ((status = 'approved') = (user_id IS NOT NULL))
);

CREATE INDEX device_codes_expires ON device_codes (expires_at);
CREATE INDEX device_codes_address ON device_codes (address, expires_at);
CREATE INDEX device_codes_user ON device_codes (user_id) WHERE user_id IS NOT NULL;
