-- +goose Up

-- Ended executions by the hour they were received in, counted from 1970-01-01,
-- and by how long they ran. They stay for a month.
CREATE TABLE hourly_totals (
    workflow_id     uuid   NOT NULL REFERENCES workflows (id),
    hour            bigint NOT NULL,
    state           text   NOT NULL CHECK (state IN ('completed', 'failed', 'timeout', 'cancelled', 'no_deployment')),
    -- How long, in steps of a fourth of an octave.
    step            bigint NOT NULL CHECK (step BETWEEN 0 AND 200),
    organization_id uuid   NOT NULL,
    count           bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (workflow_id, hour, state, step)
);

CREATE INDEX hourly_totals_hour ON hourly_totals (hour);
