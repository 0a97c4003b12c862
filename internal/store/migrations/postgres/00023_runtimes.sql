-- +goose Up

-- What code of an organization can run in: an image that was pushed.
CREATE TABLE runtimes (
    id              uuid    NOT NULL PRIMARY KEY,
    organization_id uuid    NOT NULL REFERENCES organizations (id),
    -- The tag that the image was pushed under, and what it stood for then.
    image_hash      text    NOT NULL CHECK (length(image_hash) BETWEEN 1 AND 128),
    digest          text    NOT NULL CHECK (length(digest) BETWEEN 1 AND 200),
    status          text    NOT NULL CHECK (status IN ('in_progress', 'completed', 'failed', 'removed')),
    -- What happened while it was made, as JSON.
    logs            text    NOT NULL,
    -- How often somebody began to make it, and until when whoever did so last has
    -- it alone.
    tries           bigint  NOT NULL CHECK (tries >= 0),
    lease_until     timestamptz,
    created_by_id   uuid,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX runtimes_image ON runtimes (organization_id, image_hash);
CREATE INDEX runtimes_open ON runtimes (id) WHERE status = 'in_progress';
CREATE INDEX runtimes_removed ON runtimes (changed_at) WHERE status = 'removed';

-- NULL for the embedded one.
ALTER TABLE deployments ADD COLUMN runtime_id uuid REFERENCES runtimes (id);

CREATE INDEX deployments_runtime ON deployments (runtime_id) WHERE runtime_id IS NOT NULL;
