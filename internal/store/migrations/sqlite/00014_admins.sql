-- +goose Up
-- Administrators are few among many users, and one must be left.
CREATE INDEX users_admin ON users (id) WHERE is_admin;
