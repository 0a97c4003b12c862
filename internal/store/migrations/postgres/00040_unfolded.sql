-- +goose Up

-- Without a statistic PostgreSQL takes it that two columns differ in nearly all
-- rows, and reads the whole table for the few of which something is to be folded.
DROP INDEX daily_totals_unfolded;
CREATE INDEX daily_totals_unfolded ON daily_totals (organization_id) WHERE count - folded <> 0;
CREATE STATISTICS daily_totals_unfolded ON (count - folded) FROM daily_totals;
ANALYZE daily_totals;
