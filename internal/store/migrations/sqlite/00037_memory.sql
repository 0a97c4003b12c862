-- +goose Up

-- What the code of a trigger's runs may allocate; 0 for what the installation
-- gives.
ALTER TABLE triggers ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0 CHECK (memory_bytes >= 0);
