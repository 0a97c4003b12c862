-- +goose Up

-- All that lists of workflows choose by and are in the order of, so that only the
-- workflows on a page are read themselves.
CREATE INDEX workflows_listed ON workflows (organization_id, updated_at, id, folder_id, namespace_id, name_folded, deleted_at)
    WHERE deleted_at IS NULL;

-- The workflows of an organization in the order in which they were made.
CREATE INDEX workflows_organization ON workflows (organization_id, id);
