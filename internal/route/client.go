package route

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwardedFor is the header in which proxies pass on whom they speak for. The
// standard's Forwarded is not read: one header can be made sure of, two can
// disagree.
const forwardedFor = "X-Forwarded-For"

// clientOf returns where a request comes from: the peer of the connection or,
// when that is a trusted proxy, the last address in X-Forwarded-For that is not
// one. What stands before it, anybody can have written. An address that can't be
// read ends the search at the proxy that passed it on.
func clientOf(r *http.Request, trusted []netip.Prefix) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	client := plain(peer.Addr())
	if !isTrusted(client, trusted) {
		return client, true
	}
	// Several headers are one list.
	hops := strings.Split(strings.Join(r.Header.Values(forwardedFor), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, ok := parseHop(hop)
		if !ok {
			break
		}
		if client = next; !isTrusted(client, trusted) {
			break
		}
	}
	return client, true
}

// parseHop reads an entry of X-Forwarded-For. Some proxies add the port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if address, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return plain(address), true
	}
	address, err := netip.ParseAddrPort(text)
	return plain(address.Addr()), err == nil
}

// plain is the one form of an address that has several.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// network is what an address is counted as: of IPv6 the /64, of which a single
// customer has all.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	return netip.PrefixFrom(a, 64).Masked().Addr()
}
