package app

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/web/admin"
)

// installationTimeout bounds a look at how the installation is: a page that says
// that the database does not answer must not wait for it.
const installationTimeout = 5 * time.Second

// What the first page lists at most.
const shownNodes, shownImages = 50, 10

// administration is what administrators do about users.
func (s *Server) administration(way identity.Way) *identity.Administration {
	a := &identity.Administration{Store: s.store, Approved: words(s.config.Settings.AdminUserIDs), Now: s.config.Now}
	if way != nil {
		a.Provider = way.Name()
	}
	return a
}

// installation says how this server and the installation are.
func (s *Server) installation(ctx context.Context, l *live) admin.Installation {
	ctx, cancel := context.WithTimeout(ctx, installationTimeout)
	defer cancel()
	settings := s.config.Settings
	i := admin.Installation{
		Version: s.config.Version, Built: runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH, Started: s.started, Database: "SQLite",
		Engine: "in processes of this server, in a sandbox", Queued: s.store.Stats().Queued, ImagesLimit: int64(settings.RegistryLimit),
		Realtime: admin.Following{Followers: "–", Home: "at a Centrifugo server"},
	}
	if s.store.Shared() {
		i.Database = "PostgreSQL"
	}
	if s.upstream != nil {
		i.ImagesUpstream = s.upstream.URL.Host
	}
	if s.containers != nil {
		i.Engine += "; images in containers of a docker daemon"
	}
	if l.node != nil {
		i.Realtime = admin.Following{Followers: strconv.Itoa(l.node.Connections()), Home: "browsers and command lines at this server"}
	}
	i.Running, i.Slots = s.executions.Running()
	var err error
	if i.Free, i.Disk, err = diskOf(config.DataDir(settings.DataDir)); err != nil {
		s.log.WarnContext(ctx, "the disk can't be looked at", "error", err)
	}
	s.lookAtImages(ctx, &i)
	if err := s.lookAtDatabase(ctx, &i); err != nil {
		i.Problem = "The database does not answer as it should; the server's log has the reason."
		s.log.ErrorContext(ctx, "the database can't be looked at", "error", err)
	}
	return i
}

// lookAtDatabase adds what the database knows.
func (s *Server) lookAtDatabase(ctx context.Context, i *admin.Installation) error {
	err := s.store.Ping(ctx)
	if err == nil {
		i.DatabaseVersion, i.DatabaseSize, err = s.store.About(ctx)
	}
	if err == nil {
		i.Users, err = s.store.CountUsers(ctx)
	}
	if err != nil {
		return err
	}
	nodes, err := s.store.Nodes(ctx, shownNodes)
	for _, n := range nodes {
		i.Nodes = append(i.Nodes, admin.Node{Incarnation: n.Incarnation.String(), Name: n.Name, StartedAt: n.StartedAt})
	}
	depth, failed := s.executions.Depth(ctx)
	i.Waiting, i.Everywhere, i.OldestWaiting = depth.Waiting, depth.Running, depth.OldestWaiting
	return errors.Join(err, failed)
}

// lookAtImages adds what the registry keeps.
func (s *Server) lookAtImages(ctx context.Context, i *admin.Installation) {
	largest, total, err := s.images.Largest(ctx, shownImages)
	if err != nil {
		i.ImagesProblem = "They can't be counted; the server's log has the reason."
		s.log.ErrorContext(ctx, "images can't be counted", "error", err)
		return
	}
	for _, one := range largest {
		i.Images = append(i.Images, admin.Kept{Organization: one.Organization.String(), Bytes: one.Bytes})
	}
	i.MoreImages = total - len(largest)
}

// settings are those in force, for administrators to see.
func (s *Server) settings() ([]admin.Setting, error) {
	all, err := s.config.Settings.Show(s.config.Sources)
	if err != nil {
		return nil, err
	}
	shown := make([]admin.Setting, len(all))
	for i, one := range all {
		shown[i] = admin.Setting(one)
	}
	return shown, nil
}
