-- +goose Up

-- How many of what was counted retention has removed, so that what is left in an
-- organization is the sum of few rows. These sums are made of daily_totals alone,
-- and are anew here: where runs are kept for longer than these rows were, some are
-- missing.
ALTER TABLE namespace_totals ADD COLUMN purged INTEGER NOT NULL DEFAULT 0;
DELETE FROM namespace_totals;
INSERT INTO namespace_totals (namespace_id, day, state, organization_id, count, purged)
SELECT w.namespace_id, x.day, x.state, w.organization_id, SUM(x.folded), SUM(x.purged) FROM daily_totals x JOIN workflows w ON w.id = x.workflow_id
GROUP BY w.namespace_id, x.day, x.state, w.organization_id;

CREATE INDEX namespace_totals_left ON namespace_totals (organization_id, state, count, purged) WHERE count <> purged;

-- The deleted workflows of an organization, whose executions count no more.
CREATE INDEX workflows_gone ON workflows (organization_id, id) WHERE deleted_at IS NOT NULL;
