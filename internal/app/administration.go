package app

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/web/admin"
)

// installationTimeout bounds a look at how the installation is: a page that says
// that the database does not answer must not wait for it.
const installationTimeout = 5 * time.Second

// administration is what administrators do about users.
func (s *Server) administration(way identity.Way) *identity.Administration {
	a := &identity.Administration{Store: s.store, Approved: words(s.config.Settings.AdminUserIDs), Now: s.config.Now}
	if way != nil {
		a.Provider = way.Name()
	}
	return a
}

// installation says how this server and the installation are.
func (s *Server) installation(ctx context.Context) admin.Installation {
	ctx, cancel := context.WithTimeout(ctx, installationTimeout)
	defer cancel()
	i := admin.Installation{Version: s.config.Version, Started: s.started, Database: "SQLite"}
	if s.store.Shared() {
		i.Database = "PostgreSQL"
	}
	i.Running, i.Slots = s.executions.Running()
	err := s.store.Ping(ctx)
	if err == nil {
		i.Users, err = s.store.CountUsers(ctx)
	}
	depth, failed := s.executions.Depth(ctx)
	if err != nil || failed != nil {
		i.Problem = "The database does not answer as it should; the server's log has the reason."
		s.log.ErrorContext(ctx, "the database can't be looked at", "error", err, "queue", failed)
		return i
	}
	i.Waiting, i.Everywhere, i.OldestWaiting = depth.Waiting, depth.Running, depth.OldestWaiting
	return i
}
