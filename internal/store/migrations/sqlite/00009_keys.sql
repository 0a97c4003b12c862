-- +goose Up
ALTER TABLE service_accounts ADD COLUMN created_by_id BLOB CHECK (length(created_by_id) = 16);

ALTER TABLE api_keys ADD COLUMN created_by_id BLOB CHECK (length(created_by_id) = 16);
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
-- The key that follows this one.
ALTER TABLE api_keys ADD COLUMN replaced_by_id BLOB CHECK (length(replaced_by_id) = 16);
-- What the key may do of what its account may, as words with spaces between
-- them, and to which resource alone; NULL for all.
ALTER TABLE api_keys ADD COLUMN scope_actions TEXT CHECK (length(scope_actions) BETWEEN 1 AND 255);
ALTER TABLE api_keys ADD COLUMN scope_type TEXT CHECK (scope_type IN ('workflow', 'folder'));
ALTER TABLE api_keys ADD COLUMN scope_id BLOB CHECK (length(scope_id) = 16);
