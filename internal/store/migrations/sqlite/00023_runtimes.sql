-- +goose Up

-- What code of an organization can run in: an image that was pushed.
CREATE TABLE runtimes (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    -- The tag that the image was pushed under, and what it stood for then.
    image_hash      TEXT    NOT NULL CHECK (length(image_hash) BETWEEN 1 AND 128),
    digest          TEXT    NOT NULL CHECK (length(digest) BETWEEN 1 AND 200),
    status          TEXT    NOT NULL CHECK (status IN ('in_progress', 'completed', 'failed', 'removed')),
    -- What happened while it was made, as JSON.
    logs            TEXT    NOT NULL,
    -- How often somebody began to make it, and until when whoever did so last has
    -- it alone.
    tries           INTEGER NOT NULL CHECK (tries >= 0),
    lease_until     INTEGER,
    created_by_id   BLOB    CHECK (length(created_by_id) = 16),
    created_at      INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX runtimes_image ON runtimes (organization_id, image_hash);
CREATE INDEX runtimes_open ON runtimes (id) WHERE status = 'in_progress';
CREATE INDEX runtimes_removed ON runtimes (changed_at) WHERE status = 'removed';

-- NULL for the embedded one.
ALTER TABLE deployments ADD COLUMN runtime_id BLOB REFERENCES runtimes (id);

CREATE INDEX deployments_runtime ON deployments (runtime_id) WHERE runtime_id IS NOT NULL;
