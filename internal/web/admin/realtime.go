package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// Channels is what the node in this process is used for.
type Channels struct {
	Connections        int
	Published, Dropped int64
	// Events and Messages are what was told in the last minute, and to how many
	// that makes.
	Events, Messages int
	Channels         []Channel
	// More says that not all channels are listed.
	More bool
}

// Channel is one that has subscribers.
type Channel struct {
	Name        string
	Subscribers int
	// Minute is how many events it had in the last minute.
	Minute int
	// Users are some of those who are subscribed.
	Users []Follower
}

// Follower is somebody who is subscribed. Name is empty for who is no user.
type Follower struct{ ID, Name string }

// Realtime shows administrators the home of the channels: Channels for the one in
// this process, or else Pages, which passes on those of a Centrifugo server.
type Realtime struct {
	Channels func(ctx context.Context) (Channels, error)
	Pages    func(w http.ResponseWriter, r *http.Request, path string) error
}

const realtimePath = "/admin/centrifugo"

// registerRealtime registers the pages about realtime events: 5.5 of
// identity-realtime-admin.md of the wire contract.
func registerRealtime(r *route.Router, d Deps) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, path := range []string{realtimePath, realtimePath + "/{path...}"} {
			route.Raw(r, route.Spec{
				Method: method, Path: path, Policy: access.Admin(access.Administer), Page: true,
			}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
				d.opened(r, realtimePath)
				return d.Realtime.serve(w, r, c, d.frame("Realtime", c.Principal))
			})
		}
	}
}

func (d Realtime) serve(w http.ResponseWriter, r *http.Request, c route.Call[route.None], f ui.Frame) error {
	if d.Pages == nil {
		shown, err := d.Channels(r.Context())
		if err != nil {
			return err
		}
		return ui.Show(w, r, http.StatusOK, f, channels(shown))
	}
	// The pages name what they need relative to themselves.
	if !strings.HasPrefix(r.URL.Path, realtimePath+"/") {
		http.Redirect(w, r, realtimePath+"/", http.StatusTemporaryRedirect)
		return nil
	}
	return d.Pages(w, r, strings.TrimPrefix(r.URL.Path, realtimePath))
}
