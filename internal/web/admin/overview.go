package admin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/records"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const adminPath = ui.Admin

// Deps is what the pages work with. All fields are required.
type Deps struct {
	// Frame is what is around a page.
	Frame          func(title string, p identity.Principal) ui.Frame
	Administration Administration
	Audit          Audit
	Recorder       *audit.Recorder
	// Installation looks at how this server and the installation are.
	Installation func(ctx context.Context) Installation
	Records      records.Store
	Changes      Changes
	// Settings are those in force, in the order in which they are shown.
	Settings []Setting
	// MaxRun is the longest that a run may take.
	MaxRun time.Duration
	// Realtime has Channels or Pages.
	Realtime Realtime
	Now      func() time.Time
}

// Administration is what administrators do about users.
type Administration interface {
	Users(ctx context.Context, f identity.UserFilter) (identity.UserPage, error)
	Change(ctx context.Context, by identity.Principal, user id.ID, c identity.UserChange) (identity.User, error)
	SignOut(ctx context.Context, user id.ID) (int, error)
	IsApproved(u identity.User) bool
}

// Audit is the log of who did what.
type Audit interface {
	AuditPage(ctx context.Context, f audit.Filter) (audit.Page, error)
}

// Installation is what the first page for administrators shows.
type Installation struct {
	Version string
	Started time.Time
	// Database is the kind of database, and Problem what is wrong with it now;
	// empty when nothing is, and nothing below it is known otherwise.
	Database, Problem string
	// Running and Slots are this server's runs, Waiting and Everywhere those of
	// all servers.
	Running, Slots, Waiting, Everywhere int
	// OldestWaiting is since when the first of those that wait does; zero for
	// none.
	OldestWaiting time.Time
	Users         int
	// Built says with what the server was built, and Engine where code runs.
	Built, Engine string
	// Free and Disk are the bytes of the disk of the data folder; zero when they
	// can't be measured.
	Free, Disk      uint64
	DatabaseVersion string
	DatabaseSize    int64
	// Queued is how many units wait for the database's writer at this server.
	Queued   int
	Nodes    []Node
	Realtime Following
	// Images are the organizations that keep the most, MoreImages how many others
	// there are, and ImagesProblem says that they can't be counted.
	Images        []Kept
	MoreImages    int
	ImagesLimit   int64
	ImagesProblem string
	// ImagesUpstream is the registry that keeps them; empty for this server.
	ImagesUpstream string
}

// Node is a server that shares the database.
type Node struct {
	Incarnation, Name string
	StartedAt         time.Time
}

// Following is who follows what happens now, in words, and where.
type Following struct{ Followers, Home string }

// Kept is how much an organization keeps.
type Kept struct {
	Organization string
	Bytes        int64
}

// Register registers all pages. The error says what is wrong with them or
// missing in d; a server must not start then.
func Register(r *route.Router, d Deps) error {
	if d.Frame == nil || d.Administration == nil || d.Audit == nil || d.Recorder == nil || d.Installation == nil || d.Now == nil || d.Records == nil || !d.Changes.complete() || d.Realtime.Channels == nil && d.Realtime.Pages == nil {
		return errors.New("admin: a required field of Deps is missing")
	}
	d.adminPage(r, adminPath, d.getAdmin)
	d.adminPage(r, jobsPath, d.getJobs)
	d.adminPage(r, settingsPath, d.getSettings)
	d.adminPage(r, adminAuditPath, d.getAdminAudit)
	d.adminPage(r, adminUsersPath, d.getAdminUsers)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: adminUsersPath + "/{id}/{action}", Policy: access.Admin(access.Administer), Page: true, Body: true, BodyLimit: ui.MaxForm,
	}, route.NoObject(), d.postAdminUser)
	registerAuditExport(r, d)
	registerData(r, d)
	registerRealtime(r, d)
	return r.Err()
}

// adminPage registers a page that is recorded when it is opened.
func (d Deps) adminPage(r *route.Router, path string, get func(http.ResponseWriter, *http.Request, route.Call[route.None]) error) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: path, Policy: access.Admin(access.Administer), Page: true,
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
		d.opened(r, path)
		return get(w, r, c)
	})
}

// opened records that an administrator looks at a page.
func (d Deps) opened(r *http.Request, page string) {
	d.Recorder.Record(r.Context(), audit.Entry{Action: audit.OpenAdmin, Target: audit.Target{Type: "page", ID: page}})
}

func (d Deps) getAdmin(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	return ui.Show(w, r, http.StatusOK, d.frame("Administration", c.Principal), adminOverview(d.Installation(r.Context()), d.Now()))
}

// lasted writes how long something has gone on, in its two greatest units.
func lasted(d time.Duration) string {
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	switch {
	case days > 0:
		return strconv.Itoa(days) + " d " + strconv.Itoa(hours) + " h"
	case hours > 0:
		return strconv.Itoa(hours) + " h " + strconv.Itoa(minutes) + " min"
	case minutes > 0:
		return strconv.Itoa(minutes) + " min"
	default:
		return strconv.Itoa(max(0, int(d.Seconds()))) + " s"
	}
}

// frame is the one of a page of administrators.
func (d Deps) frame(title string, p identity.Principal) ui.Frame {
	f := d.Frame(title, p)
	f.Here = ui.Admin
	return f
}

// adminTabs are the pages that belong together.
func adminTabs() []ui.Link {
	return []ui.Link{
		{Path: adminPath, Name: "Overview"}, {Path: jobsPath, Name: "Jobs"}, {Path: adminUsersPath, Name: "Users"}, {Path: dataPath, Name: "Data"},
		{Path: adminAuditPath, Name: "Audit log"}, {Path: realtimePath, Name: "Realtime"}, {Path: settingsPath, Name: "Settings"},
	}
}

// imagesText says what is shown of container images.
func (i Installation) imagesText() string {
	if i.ImagesUpstream != "" {
		return "Kept at " + i.ImagesUpstream + ". Shown are organizations that have pushed through this server since its start; what they have in common counts for each."
	}
	return "What organizations keep in the registry; what they have in common counts for each."
}
