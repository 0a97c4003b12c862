//go:build external

package https_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/centrifugotest"
	"github.com/usefloww/flowwd/internal/config"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

const domain = "flows.floww.example"

// A server with a domain gets its certificate by itself, keeps it over a crash
// without asking again, and leads people to HTTPS.
func TestDomainGetsItsCertificate(t *testing.T) {
	ports := centrifugotest.Ports(t, 2)
	encrypted, plain := fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("127.0.0.1:%d", ports[1])
	authority := startPebble(t, ports[1], ports[0])
	t.Setenv("SSL_CERT_FILE", authority.file)
	dir, flags := t.TempDir(), []string{
		"--domain", domain, "--https-listen", encrypted, "--http-listen", plain, "--acme-directory", authority.directory, "--acme-email", "ops@floww.example",
	}
	p := apptest.StartProcess(t, dir, flags...)
	if p.URL != "https://"+domain {
		t.Errorf("it says that it is at %s", p.URL)
	}
	visit := func(server string) (*tls.ConnectionState, error) {
		c, err := tls.Dial("tcp", encrypted, &tls.Config{ServerName: server, RootCAs: authority.roots, NextProtos: []string{"h2"}})
		if err != nil {
			return nil, err
		}
		defer c.Close() //nolint:errcheck // nothing was written
		state := c.ConnectionState()
		return &state, nil
	}
	var first *tls.ConnectionState
	apptest.Until(t, 60*time.Second, "a certificate", func() (there bool) {
		var err error
		first, err = visit(domain)
		return err == nil
	})
	if first.NegotiatedProtocol != "h2" {
		t.Errorf("it speaks %q", first.NegotiatedProtocol)
	}
	for _, other := range []string{"other.floww.example", "", "x." + domain} {
		if _, err := visit(other); err == nil {
			t.Errorf("it has a certificate for %q", other)
		}
	}
	res := get(t, authority, encrypted, "https://"+domain+"/health")
	if res.StatusCode != 200 || res.Proto != "HTTP/2.0" || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("GET /health: %s %s %v", res.Proto, res.Status, res.Header)
	}
	for host, want := range map[string]string{domain: "308 https://" + domain + "/webhook/x?y=1", "evil.example": "421 ", "127.0.0.1": "421 "} {
		res := get(t, authority, plain, "http://"+host+"/webhook/x?y=1")
		if got := fmt.Sprint(res.StatusCode, " ", res.Header.Get("Location")); got != want {
			t.Errorf("http://%s leads to %q, want %q", host, got, want)
		}
	}

	authority.stop()
	p.Kill(t)
	apptest.StartProcess(t, dir, flags...)
	var again *tls.ConnectionState
	apptest.Until(t, 30*time.Second, "the certificate after a crash", func() bool {
		var err error
		again, err = visit(domain)
		return err == nil
	})
	if again.PeerCertificates[0].SerialNumber.Cmp(first.PeerCertificates[0].SerialNumber) != 0 {
		t.Error("after a crash there is another certificate")
	}
}

// get asks a server at an address, whatever the URL names.
func get(t *testing.T, authority *pebble, address, url string) *http.Response {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authority.roots}, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(url)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	res.Body.Close() //nolint:errcheck // the status is what counts
	return res
}

// A proxy that is trusted says where connections come from; without its header
// they are ended.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: proxied("127.0.0.0/8")})
	address := strings.TrimPrefix(s.URL, "http://")
	for name, c := range map[string]struct{ header, want string }{
		"version 1":       {"PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n", "200"},
		"none":            {"", ""},
		"a broken header": {"PROXY TCP4 nobody\r\n", ""},
	} {
		if got := status(t, address, c.header); got != c.want {
			t.Errorf("%s: the answer is %q, want %q", name, got, c.want)
		}
	}
	// Who is not trusted is no proxy: its header is a broken request.
	other := apptest.Start(t, apptest.Options{Settings: proxied("192.0.2.1")})
	address = strings.TrimPrefix(other.URL, "http://")
	if got := status(t, address, "PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n"); got != "400" {
		t.Errorf("a header of who is not trusted: %q", got)
	}
	if got := status(t, address, ""); got != "200" {
		t.Errorf("a client that is no proxy: %q", got)
	}
}

func proxied(by string) func(*config.Settings) {
	return func(s *config.Settings) { s.ProxyProtocol, s.TrustedProxies = true, []string{by} }
}

// status asks for /health after a header and returns the status; empty when the
// connection ends without an answer.
func status(t *testing.T, address, header string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // it may be closed already
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "%sGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", header); err != nil {
		return ""
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return ""
	}
	res.Body.Close() //nolint:errcheck // the status is what counts
	return fmt.Sprint(res.StatusCode)
}
