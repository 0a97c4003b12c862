-- +goose Up

-- The sums of daily_totals by namespace. What ends is counted there, for one
-- workflow at a time; what was folded into these sums is noted beside it, so that
-- both together are exact at any time and a run writes no row more.
CREATE TABLE namespace_totals (
    namespace_id    BLOB    NOT NULL REFERENCES namespaces (id),
    day             INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('completed', 'failed', 'timeout', 'cancelled', 'no_deployment')),
    organization_id BLOB    NOT NULL CHECK (length(organization_id) = 16),
    count           INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, day, state)
) STRICT, WITHOUT ROWID;

CREATE INDEX namespace_totals_organization ON namespace_totals (organization_id);
CREATE INDEX namespace_totals_day ON namespace_totals (day);

ALTER TABLE daily_totals ADD COLUMN folded INTEGER NOT NULL DEFAULT 0 CHECK (folded >= 0);

INSERT INTO namespace_totals (namespace_id, day, state, organization_id, count)
SELECT w.namespace_id, x.day, x.state, w.organization_id, SUM(x.count) FROM daily_totals x JOIN workflows w ON w.id = x.workflow_id
GROUP BY w.namespace_id, x.day, x.state, w.organization_id;
UPDATE daily_totals SET folded = count;

CREATE INDEX daily_totals_unfolded ON daily_totals (organization_id) WHERE folded <> count;
