package route

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// FuzzNormalizeQuery holds that every parameter keeps its one value, under one
// name, and that normalising again changes nothing.
func FuzzNormalizeQuery(f *testing.F) {
	for _, seed := range []string{"", "workflow_id=x&limit=1", "a=1&a=2", "a_b=1&aB=2", "%zz", "a;b", "=&=", "_=1&__a=2", "a=%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := normalizeQuery(raw)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v is no Invalid", raw, err)
			}
			return
		}
		given, err := url.ParseQuery(raw)
		if err != nil || len(given) != len(got) {
			t.Fatalf("%q has %d parameters, and %d became of them, %v", raw, len(given), len(got), err)
		}
		for name, values := range given {
			if !slices.Equal(got[camelCase(name)], values) {
				t.Fatalf("%q: %q is %q, want %q", raw, name, got[camelCase(name)], values)
			}
		}
		again, err := normalizeQuery(got.Encode())
		if err != nil || again.Encode() != got.Encode() {
			t.Fatalf("%q became %q and then %q, %v", raw, got.Encode(), again.Encode(), err)
		}
	})
}

// FuzzClientOf holds that a peer that is no proxy is believed nothing, and that
// what a proxy passes on is an address in its one form.
func FuzzClientOf(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", "1.2.3.4, 10.0.0.2", "[2001:db8::1]:80", "::ffff:10.0.0.1", "fe80::1%eth0, x", ",,,", "unknown", "10.0.0.1:x"} {
		f.Add(seed, "10.0.0.1:1000")
		f.Add(seed, "192.0.2.1:1000")
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header, peer string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer
		r.Header.Set(forwardedFor, header)
		got, ok := clientOf(r, trusted)
		at, err := netip.ParseAddrPort(peer)
		if ok != (err == nil) || ok && (!got.IsValid() || got != plain(got)) {
			t.Fatalf("%q by %q is %v, %t", header, peer, got, ok)
		}
		if ok && !isTrusted(plain(at.Addr()), trusted) && got != plain(at.Addr()) {
			t.Fatalf("%q by %q, which is no proxy, is believed: %v", header, peer, got)
		}
	})
}
