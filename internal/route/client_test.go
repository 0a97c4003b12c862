package route

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestClientAddresses(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, c := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"no proxy", "192.0.2.1:5", nil, "192.0.2.1"},
		{"one proxy", "10.0.0.1:5", []string{"192.0.2.9"}, "192.0.2.9"},
		{"a chain of proxies", "10.0.0.1:5", []string{"192.0.2.9, 10.1.1.1 ,10.2.2.2"}, "192.0.2.9"},
		{"what the client wrote is passed over", "10.0.0.1:5", []string{"127.0.0.1, 203.0.113.5, 192.0.2.9"}, "192.0.2.9"},
		{"several headers are one list", "10.0.0.1:5", []string{"203.0.113.5", "192.0.2.9", "10.3.3.3"}, "192.0.2.9"},
		{"the peer is no trusted proxy", "192.0.2.1:5", []string{"203.0.113.5"}, "192.0.2.1"},
		{"the peer is no trusted proxy and claims to be one", "192.0.2.1:5", []string{"203.0.113.5, 10.0.0.1"}, "192.0.2.1"},
		{"no header", "10.0.0.1:5", nil, "10.0.0.1"},
		{"an empty header", "10.0.0.1:5", []string{""}, "10.0.0.1"},
		{"only proxies", "10.0.0.1:5", []string{"10.4.4.4, 10.5.5.5"}, "10.4.4.4"},
		{"garbage at the end", "10.0.0.1:5", []string{"192.0.2.9, unknown"}, "10.0.0.1"},
		{"garbage before a proxy", "10.0.0.1:5", []string{"192.0.2.9, _hidden, 10.6.6.6"}, "10.6.6.6"},
		{"garbage before the client", "10.0.0.1:5", []string{"<script>, 192.0.2.9"}, "192.0.2.9"},
		{"an empty entry", "10.0.0.1:5", []string{"192.0.2.9,,10.6.6.6"}, "10.6.6.6"},
		{"a line break in an entry", "10.0.0.1:5", []string{"192.0.2.9\r\n10.6.6.6"}, "10.0.0.1"},
		{"a host name", "10.0.0.1:5", []string{"localhost"}, "10.0.0.1"},
		{"an octal number", "10.0.0.1:5", []string{"192.0.2.011"}, "10.0.0.1"},
		{"a port", "10.0.0.1:5", []string{"192.0.2.9:4711"}, "192.0.2.9"},
		{"IPv6", "[fd00::1]:5", []string{"2001:db8::9"}, "2001:db8::9"},
		{"IPv6 in brackets", "[fd00::1]:5", []string{"[2001:db8::9]"}, "2001:db8::9"},
		{"IPv6 with a port", "[fd00::1]:5", []string{"[2001:db8::9]:4711"}, "2001:db8::9"},
		{"IPv4 as IPv6", "[::ffff:10.0.0.1]:5", []string{"::ffff:192.0.2.9"}, "192.0.2.9"},
		{"a zone", "[fe80::1%eth0]:5", nil, "fe80::1"},
		{"long IPv6", "[2001:0db8:0000:0000:0000:0000:0000:0001]:5", nil, "2001:db8::1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header[forwardedFor] = c.headers
		if got, ok := clientOf(r, trusted); !ok || got.String() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
		if got, _ := clientOf(r, nil); !strings.Contains(r.RemoteAddr, "db8") && strings.HasPrefix(c.want, "192.0.2.9") && got.String() == c.want {
			t.Errorf("%s: without trusted proxies the header is believed", c.name)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "@" // a socket in the file system
	if _, ok := clientOf(r, trusted); ok {
		t.Error("no address was read as one")
	}
}

// Other headers that proxies and attackers write say nothing.
func TestOtherForwardingHeadersAreIgnored(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:5"
	for _, name := range []string{"Forwarded", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "X_Forwarded_For", "X-Forwarded-For "} {
		r.Header[name] = []string{"192.0.2.9"}
	}
	if got, _ := clientOf(r, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}); got.String() != "10.0.0.1" {
		t.Errorf("got %v", got)
	}
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"192.0.2.1", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"},
		{"2001:db8:1:3::1", "2001:db8:1:3::"},
		{"::1", "::"},
	} {
		if got := network(netip.MustParseAddr(c[0])); got.String() != c[1] {
			t.Errorf("%s is counted as %v, want %s", c[0], got, c[1])
		}
	}
	if got := network(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is counted as %v", got)
	}
}

func TestHandlersAndLogsSeeTheClient(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	Raw(b.Router, Spec{Method: "GET", Path: "/who", Policy: open}, NoObject(), func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
		return WriteBody(w, 200, "text/plain", []byte(ClientAddress(r.Context())))
	})
	if a := b.askFrom(t, "10.0.0.1:5", "GET", "/who", "X-Forwarded-For: 192.0.2.9"); a.text != "192.0.2.9" {
		t.Errorf("got %q", a.text)
	}
	if log := b.log.String(); !strings.Contains(log, `"address":"192.0.2.9"`) {
		t.Errorf("the log does not say who it was: %s", log)
	}
}
