-- +goose Up
-- Folders of workflows, inside each other.
CREATE TABLE folders (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    namespace_id    uuid             NOT NULL REFERENCES namespaces (id),
    -- NULL at the root of the namespace. No foreign key: rows are copied between
    -- databases in the order of their ids, and a folder can move into a younger
    -- one.
    parent_id       uuid,
    name            text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- The ids of the folders from the root down to this one, 32 hexadecimal digits
    -- each. What decides about access is read with every object: by one join, and
    -- not by walking up. Whatever moves folders writes the paths below anew.
    path            text COLLATE "C" NOT NULL CHECK (length(path) BETWEEN 32 AND 320 AND length(path) % 32 = 0),
    created_by_id   uuid,
    created_at      timestamptz      NOT NULL,
    updated_at      timestamptz      NOT NULL
);

CREATE UNIQUE INDEX folders_root_name ON folders (namespace_id, name) WHERE parent_id IS NULL;
CREATE UNIQUE INDEX folders_name ON folders (parent_id, name) WHERE parent_id IS NOT NULL;
CREATE INDEX folders_namespace ON folders (namespace_id);
CREATE INDEX folders_organization ON folders (organization_id, id);
CREATE INDEX folders_path ON folders (path);

ALTER TABLE workflows ADD COLUMN folder_id uuid REFERENCES folders (id);
CREATE INDEX workflows_folder ON workflows (folder_id, updated_at, id) WHERE folder_id IS NOT NULL;

-- Whose keys are made for one resource alone, when that moves.
CREATE INDEX api_keys_scope ON api_keys (scope_id) WHERE scope_id IS NOT NULL;
