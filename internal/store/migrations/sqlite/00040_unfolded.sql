-- +goose Up

-- Only the words are others: PostgreSQL keeps a statistic of this difference.
DROP INDEX daily_totals_unfolded;
CREATE INDEX daily_totals_unfolded ON daily_totals (organization_id) WHERE count - folded <> 0;
