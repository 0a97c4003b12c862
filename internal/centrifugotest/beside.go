package centrifugotest

import (
	"os/exec"
	"strconv"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// Secrets that a server and its Centrifugo share in tests.
const (
	apiKey      = "the key of Centrifugo's API"
	tokenSecret = "a secret that is long enough for realtime tokens"
)

// Beside starts a server in this process, and the Centrifugo that takes the place
// of its node.
func Beside(t *testing.T, o apptest.Options) (*apptest.Server, *Server) {
	t.Helper()
	ports := Ports(t, 2)
	change := o.Settings
	o.Settings = func(c *config.Settings) {
		if change != nil {
			change(c)
		}
		c.CentrifugoHost, c.CentrifugoPort, c.CentrifugoKey, c.CentrifugoSecret = "127.0.0.1", ports[0], apiKey, tokenSecret
		c.CentrifugoURL = "http://127.0.0.1:" + strconv.Itoa(ports[1])
	}
	s := apptest.Start(t, o)
	return s, Start(t, written(t, s, ports[0], ports[1]))
}

// written is what the command line prints for a server.
func written(t *testing.T, s *apptest.Server, port, clientPort int) []byte {
	t.Helper()
	command := exec.Command(apptest.Binary(t), "centrifugo", "config", "--data-dir", s.DataDir, "--client-port", strconv.Itoa(clientPort))
	command.Env = []string{
		"PUBLIC_API_URL=" + s.URL, "CENTRIFUGO_HOST=127.0.0.1", "CENTRIFUGO_PORT=" + strconv.Itoa(port),
		"CENTRIFUGO_API_KEY=" + apiKey, "CENTRIFUGO_JWT_SECRET=" + tokenSecret,
	}
	text, err := command.Output()
	if err != nil {
		t.Fatalf("flowwd centrifugo config: %v", err)
	}
	return text
}
