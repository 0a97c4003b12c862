package realtime

import (
	"os"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// place is a server with a home of its channels.
type place struct {
	*apptest.Server
	// Websocket is where clients connect.
	Websocket string
}

// home starts servers with one kind of home.
type home struct {
	name  string
	start func(t *testing.T, o apptest.Options) *place
}

// inEach runs a test once for each home.
func inEach(t *testing.T, o apptest.Options, test func(t *testing.T, p *place)) {
	t.Parallel()
	for _, h := range homes() {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			test(t, h.start(t, o))
		})
	}
}

// embeddedHome is the node inside of the server.
func embeddedHome() home {
	return home{"embedded", func(t *testing.T, o apptest.Options) *place {
		s := apptest.Start(t, o)
		return &place{Server: s, Websocket: websocket(s.URL)}
	}}
}

// websocket is where clients of a server connect.
func websocket(server string) string {
	return "ws" + strings.TrimPrefix(server, "http") + "/ws/connection/websocket"
}
