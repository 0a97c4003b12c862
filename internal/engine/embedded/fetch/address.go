package fetch

import (
	"net/netip"
)

// kind is a network that is not the public internet.
type kind struct {
	network, what string
}

// kinds are the networks of IANA's registries of special purposes, and what
// clouds have beside these. More special ones come first.
func kinds() []kind {
	return []kind{
		{"169.254.169.254/32", "metadata of the cloud"},
		{"100.100.100.200/32", "metadata of the cloud"},
		{"168.63.129.16/32", "metadata of the cloud"},
		{"192.0.0.192/32", "metadata of the cloud"},
		{"fd00:ec2::/32", "metadata of the cloud"},
		{"0.0.0.0/8", "this host"},
		{"127.0.0.0/8", "loopback"},
		{"10.0.0.0/8", "a private network"},
		{"172.16.0.0/12", "a private network"},
		{"192.168.0.0/16", "a private network"},
		{"100.64.0.0/10", "a network of a provider behind NAT"},
		{"169.254.0.0/16", "link-local"},
		{"192.0.0.0/24", "reserved"},
		{"192.0.2.0/24", "for documentation"},
		{"198.51.100.0/24", "for documentation"},
		{"203.0.113.0/24", "for documentation"},
		{"192.88.99.0/24", "a relay of 6to4"},
		{"198.18.0.0/15", "for benchmarks"},
		{"224.0.0.0/4", "multicast"},
		{"240.0.0.0/4", "reserved"},
		{"::/128", "this host"},
		{"::1/128", "loopback"},
		{"64:ff9b:1::/48", "a private network behind NAT64"},
		{"100::/64", "reserved"},
		{"2001::/23", "reserved"},
		{"2001:db8::/32", "for documentation"},
		{"3fff::/20", "for documentation"},
		{"5f00::/16", "reserved"},
		{"fc00::/7", "a private network"},
		{"fe80::/10", "link-local"},
		{"fec0::/10", "a private network"},
		{"ff00::/8", "multicast"},
	}
}

// kindOf says what an address is when it is not public; empty when it is.
func kindOf(addr netip.Addr) string {
	if inner, ok := embedded(addr); ok {
		return kindOf(inner)
	}
	for _, k := range kinds() {
		if netip.MustParsePrefix(k.network).Contains(addr) {
			return k.what
		}
	}
	return ""
}

// embedded returns the address of IPv4 that one of IPv6 stands for.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return addr, false
	}
	b := addr.As16()
	for _, form := range []struct {
		network string
		at      int
	}{
		{"::ffff:0:0/96", 12},   // mapped
		{"::ffff:0:0:0/96", 12}, // translated
		{"64:ff9b::/96", 12},    // NAT64
		{"2002::/16", 2},        // 6to4
	} {
		if netip.MustParsePrefix(form.network).Contains(addr) {
			return netip.AddrFrom4([4]byte(b[form.at : form.at+4])), true
		}
	}
	// The oldest form, ::a.b.c.d, but not :: and ::1.
	if netip.MustParsePrefix("::/96").Contains(addr) && (b[12] != 0 || b[13] != 0 || b[14] != 0) {
		return netip.AddrFrom4([4]byte(b[12:16])), true
	}
	return addr, false
}
