-- +goose Up
ALTER TABLE service_accounts ADD COLUMN created_by_id uuid;

ALTER TABLE api_keys ADD COLUMN created_by_id uuid;
ALTER TABLE api_keys ADD COLUMN expires_at timestamptz;
-- The key that follows this one.
ALTER TABLE api_keys ADD COLUMN replaced_by_id uuid;
-- What the key may do of what its account may, as words with spaces between
-- them, and to which resource alone; NULL for all.
ALTER TABLE api_keys ADD COLUMN scope_actions text CHECK (length(scope_actions) BETWEEN 1 AND 255);
ALTER TABLE api_keys ADD COLUMN scope_type text CHECK (scope_type IN ('workflow', 'folder'));
ALTER TABLE api_keys ADD COLUMN scope_id uuid;
