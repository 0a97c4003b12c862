-- +goose Up

-- The sums of daily_totals by namespace. What ends is counted there, for one
-- workflow at a time; what was folded into these sums is noted beside it, so that
-- both together are exact at any time and a run writes no row more.
CREATE TABLE namespace_totals (
    namespace_id    uuid   NOT NULL REFERENCES namespaces (id),
    day             bigint NOT NULL,
    state           text   NOT NULL CHECK (state IN ('completed', 'failed', 'timeout', 'cancelled', 'no_deployment')),
    organization_id uuid   NOT NULL,
    count           bigint NOT NULL,
    PRIMARY KEY (namespace_id, day, state)
);

CREATE INDEX namespace_totals_organization ON namespace_totals (organization_id);
CREATE INDEX namespace_totals_day ON namespace_totals (day);

ALTER TABLE daily_totals ADD COLUMN folded bigint NOT NULL DEFAULT 0 CHECK (folded >= 0);

INSERT INTO namespace_totals (namespace_id, day, state, organization_id, count)
SELECT w.namespace_id, x.day, x.state, w.organization_id, SUM(x.count) FROM daily_totals x JOIN workflows w ON w.id = x.workflow_id
GROUP BY w.namespace_id, x.day, x.state, w.organization_id;
UPDATE daily_totals SET folded = count;

CREATE INDEX daily_totals_unfolded ON daily_totals (organization_id) WHERE folded <> count;
