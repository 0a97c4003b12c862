package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// Shared implements execution.Store.
func (s *Store) Shared() bool { return s.database.shared() }

// Join implements execution.Store. A process that has the database for itself
// takes the place of all that were before.
func (s *Store) Join(ctx context.Context, n execution.Node, lease time.Duration) error {
	if !s.database.shared() {
		lease = ownLease
	}
	return s.write(ctx, "join the nodes", func(t *tx) error {
		forget, values := `DELETE FROM nodes WHERE lease_until < `+t.conn.dialect.clock(), []any{-nodesKept}
		if !t.conn.dialect.shared() {
			forget, values = `DELETE FROM nodes`, nil
		}
		if _, err := t.exec(forget, values...); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO nodes (incarnation, name, started_at, lease_until) VALUES (?, ?, ?, `+t.conn.dialect.clock()+`)`,
			n.Incarnation, n.Name, n.StartedAt, lease)
		return err
	})
}

// nodesKept is how long a node stays known after its lease.
const nodesKept = time.Hour

// Heartbeat implements execution.Store.
func (s *Store) Heartbeat(ctx context.Context, incarnation id.ID, lease time.Duration) error {
	return s.write(ctx, "renew the lease of this node", func(t *tx) error {
		n, err := t.exec(`UPDATE nodes SET lease_until = `+t.conn.dialect.clock()+`
			WHERE incarnation = ? AND lease_until > `+t.conn.dialect.clock(), lease, incarnation, 0)
		if err == nil && n == 0 {
			err = execution.ErrLeaseLost
		}
		return err
	})
}

// Leave implements execution.Store.
func (s *Store) Leave(ctx context.Context, incarnation id.ID) error {
	return s.write(ctx, "leave the nodes", func(t *tx) error {
		// Others may wait for what this node did not end.
		t.notices.queue = true
		_, err := t.exec(`DELETE FROM nodes WHERE incarnation = ?`, incarnation)
		return err
	})
}

// Nodes implements execution.Store.
func (s *Store) Nodes(ctx context.Context, limit int) ([]execution.Node, error) {
	var found []execution.Node
	err := s.read(ctx, "list nodes", func(v *view) error {
		return v.each(`SELECT incarnation, name, started_at, lease_until FROM nodes
			WHERE lease_until > `+v.conn.dialect.clock()+` ORDER BY started_at, incarnation LIMIT ?`,
			args{0, limit}, func(scan scanner) error {
				var n execution.Node
				err := scan(&n.Incarnation, &n.Name, &n.StartedAt, &n.LeaseUntil)
				found = append(found, n)
				return err
			})
	})
	return found, err
}

// ownLease is the lease of a process that has the database for itself.
const ownLease = 100 * 365 * 24 * time.Hour
