-- +goose Up

-- What runs is counted by the index of what runs: here the batches of all servers waited
-- for each other, because every run changed a row twice.
ALTER TABLE queue_counters DROP COLUMN running;
