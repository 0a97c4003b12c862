package identity

import "net/netip"

// Network is what an address is counted and compared as: the part of it that
// one customer of a provider has, all of IPv4 and the first half of IPv6. What
// is no address is its own network.
func Network(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if parsed = parsed.Unmap().WithZone(""); parsed.Is4() {
		return parsed.String()
	}
	return netip.PrefixFrom(parsed, 64).Masked().String()
}
