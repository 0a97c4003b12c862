-- +goose Up

-- A postponed execution waits for its time, available_at: of a retry, or of a
-- run that was asked for later. It is no candidate for a free slot, and stands
-- apart in the index, so that many of them cost those before the slots nothing.
ALTER TABLE executions ADD COLUMN postponed boolean NOT NULL DEFAULT FALSE;
-- How many attempts failed and were followed by another.
ALTER TABLE executions ADD COLUMN retries bigint NOT NULL DEFAULT 0 CHECK (retries >= 0);
-- Says who asked to end it; its server ends the run then.
ALTER TABLE executions ADD COLUMN cancel_reason text;
-- The execution that this one repeats.
ALTER TABLE executions ADD COLUMN replay_of_id uuid;
-- The user or service account that asked for it.
ALTER TABLE executions ADD COLUMN triggered_by_id uuid;
-- The time of the schedule that it is for.
ALTER TABLE executions ADD COLUMN planned_at timestamptz;

DROP INDEX executions_waiting;
CREATE INDEX executions_waiting ON executions (organization_id, trigger_id, postponed, id) WHERE state = 'received';
CREATE INDEX executions_postponed ON executions (available_at) WHERE state = 'received' AND postponed = true;
CREATE UNIQUE INDEX executions_planned ON executions (trigger_id, planned_at) WHERE planned_at IS NOT NULL;

-- What follows a failed attempt; NULL for nothing.
ALTER TABLE triggers ADD COLUMN retry text;
-- The place whose clock a schedule goes by; empty for UTC.
ALTER TABLE triggers ADD COLUMN timezone text NOT NULL DEFAULT '' CHECK (length(timezone) <= 100);
-- Who answers the sender of a webhook; empty for the server, at once.
ALTER TABLE triggers ADD COLUMN respond text NOT NULL DEFAULT '' CHECK (respond IN ('', 'handler'));
