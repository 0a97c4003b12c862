package fetch

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"testing"
)

// FuzzAddresses holds that no address in whatever spelling that the library dials
// is a private one by what the standard library knows.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{
		"127.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:0:127.0.0.1", "fe80::1%lo", "0.0.0.0", "169.254.169.254", "fd00:ec2::254", "8.8.8.8",
	} {
		a := netip.MustParseAddr(seed).As16()
		f.Add(a[:], uint16(80))
	}
	var p Policy
	f.Fuzz(func(t *testing.T, raw []byte, port uint16) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok || p.check("name", netip.AddrPortFrom(addr, port), nil) != nil {
			return
		}
		ip := net.IP(addr.Unmap().AsSlice())
		if ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.IsInterfaceLocalMulticast() {
			t.Fatalf("%s may be reached", addr)
		}
		if b := addr.As16(); b == [16]byte{15: b[15]} && b[15] <= 1 {
			t.Fatalf("%s may be reached", addr)
		}
	})
}

// FuzzRequests holds that a request that code asks for goes to a host by HTTP,
// with no header that is the connection's, and that what a server answers is read
// within its bound.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{"http://a/b", "https://user:pass@[::1]:1/", "file:///etc/passwd", "http://2130706433/", "http://0x7f.1/", "gopher://a", "http://a\r\nX: y", "http:a"} {
		f.Add(seed, "GET", "X-A", "b")
		f.Add(seed, "G ET", "Transfer-Encoding", "chunked\r\nHost: x")
	}
	c := New(Config{})
	f.Fuzz(func(t *testing.T, address, method, name, value string) {
		r, err := c.request(t.Context(), Request{URL: address, Method: method, Headers: [][2]string{{name, value}}})
		if err != nil {
			return
		}
		if r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.Host == "" {
			t.Fatalf("%q goes to %v", address, r.URL)
		}
		for _, ours := range []string{"Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Trailer", "Te", "Expect"} {
			if r.Header.Get(ours) != "" {
				t.Fatalf("%q: %q sets %s", name, value, ours)
			}
		}
		if again, err := url.Parse(r.URL.String()); err != nil || again.Host != r.URL.Host {
			t.Fatalf("%q goes to %v, which is read as %v, %v", address, r.URL, again, err)
		}
	})
}

// FuzzBodies holds that whatever is said to be compressed is read to its end or
// refused, and no further than its bound.
func FuzzBodies(f *testing.F) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(make([]byte, 1<<16))
	_ = w.Close()
	f.Add("gzip", packed.Bytes())
	f.Add("deflate", []byte{0x78, 0x9c, 1, 2, 3})
	f.Add("deflate", []byte{0})
	f.Add("br", []byte("x"))
	const most = 1000
	c := &Client{config: Config{MaxResponse: most}}
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		r, err := c.response(&http.Response{
			Status: "200 OK", StatusCode: 200, Header: http.Header{"Content-Encoding": {encoding}, "Content-Length": {strconv.Itoa(len(body))}},
			Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: &http.Request{URL: &url.URL{}},
		}, false)
		if err != nil || r.Body == nil {
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		if n > most {
			t.Fatalf("%d bytes were read, at most %d are allowed", n, most)
		}
	})
}
