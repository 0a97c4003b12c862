-- +goose Up

-- Administrators disable organizations: nobody is let in as a member of one, and
-- nothing begins to run in it.
ALTER TABLE organizations ADD COLUMN disabled_at timestamptz;
