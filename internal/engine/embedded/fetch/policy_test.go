package fetch

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPolicyRefusesWhatIsNotPublic(t *testing.T) {
	t.Parallel()
	for addr, why := range map[string]string{
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "0.0.0.0": "this host", "10.1.2.3": "a private network",
		"172.16.0.1": "a private network", "172.31.255.255": "a private network", "192.168.1.1": "a private network",
		"100.64.0.1": "a network of a provider behind NAT", "169.254.1.1": "link-local", "169.254.169.254": "metadata of the cloud",
		"100.100.100.200": "metadata of the cloud", "168.63.129.16": "metadata of the cloud", "192.0.0.192": "metadata of the cloud",
		"224.0.0.1": "multicast", "255.255.255.255": "reserved", "198.18.0.1": "for benchmarks",
		"::": "this host", "::1": "loopback", "fe80::1": "link-local", "fe80::1%eth0": "link-local", "fd00::1": "a private network", "fc00::1": "a private network",
		"ff02::1": "multicast", "fd00:ec2::254": "metadata of the cloud", "fec0::1": "a private network", "2001::1": "reserved",
		"::ffff:127.0.0.1": "loopback", "::ffff:a9fe:a9fe": "metadata of the cloud", "64:ff9b::7f00:1": "loopback", "64:ff9b::10.0.0.1": "a private network",
		"64:ff9b:1::1": "a private network behind NAT64", "2002:7f00:1::": "loopback", "2002:c0a8:101::1": "a private network", "::127.0.0.1": "loopback", "::ffff:0:127.0.0.1": "loopback",
	} {
		at := netip.AddrPortFrom(netip.MustParseAddr(addr), 80)
		err := new(Policy).check("name.example", at, nil)
		if err == nil || !strings.Contains(err.Error(), "("+why+")") || !strings.Contains(err.Error(), "FLOWW_FETCH_ALLOW=") {
			t.Errorf("%s: %v, want it refused as %s", addr, err, why)
		}
	}
	for _, addr := range []string{"1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::"} {
		if err := new(Policy).check("name.example", netip.AddrPortFrom(netip.MustParseAddr(addr), 443), nil); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestPolicyLists(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy(" 10.0.0.0/8, 127.0.0.1:9000,[::1]:9000 ,intranet.Example:443, all.example", "10.6.0.0/16,1.1.1.1,evil.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, at string
		allowed  bool
	}{
		{"x", "10.1.2.3:80", true}, {"x", "10.6.2.3:80", false}, {"x", "127.0.0.1:9000", true}, {"x", "127.0.0.1:9001", false}, {"x", "[::1]:9000", true},
		{"x", "[::ffff:127.0.0.1]:9000", true}, {"intranet.example", "192.168.0.1:443", true}, {"intranet.example", "192.168.0.1:80", false},
		{"sub.all.example", "192.168.0.1:80", false}, {"all.example", "192.168.0.1:80", true}, {"x", "1.1.1.1:80", false}, {"evil.example", "8.8.8.8:80", false}, {"x", "8.8.8.8:80", true},
	} {
		if err := p.check(c.name, netip.MustParseAddrPort(c.at), nil); (err == nil) != c.allowed {
			t.Errorf("%s at %s: %v, want allowed %v", c.name, c.at, err, c.allowed)
		}
	}
	for _, bad := range []string{"10.0.0.0/40", "a b", "host:0", "host:x", "http://a", "host:70000", ":80"} {
		if _, err := ParsePolicy(bad, ""); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	own := func(at netip.AddrPort) bool { return at == netip.MustParseAddrPort("8.8.8.8:8080") }
	if err := p.check("x", netip.MustParseAddrPort("8.8.8.8:8080"), own); err == nil || !strings.Contains(err.Error(), "this server itself") {
		t.Errorf("its own address: %v", err)
	}
}
