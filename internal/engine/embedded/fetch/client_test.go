package fetch

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// client may reach what a list allows.
func client(t *testing.T, allow string, change func(*Config)) *Client {
	t.Helper()
	policy, err := ParsePolicy(allow, "")
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Policy: policy}
	if change != nil {
		change(&config)
	}
	c := New(config)
	t.Cleanup(c.Close)
	return c
}

func server(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// get makes a request and reads its answer.
func get(t *testing.T, c *Client, r Request) (*Response, string, error) {
	t.Helper()
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Redirect == "" {
		r.Redirect = "follow"
	}
	answer, err := c.Do(t.Context(), r)
	if err != nil || answer.Body == nil {
		return answer, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

// resolver answers names with the addresses that a function gives.
func resolver(t *testing.T, answer func(name string) string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answerDNS(buf[:n], answer); reply != nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answerDNS(packet []byte, answer func(name string) string) []byte {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	out := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
	addr := netip.MustParseAddr(answer(strings.TrimSuffix(q.Name.String(), ".")))
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 0}
	switch {
	case q.Type == dnsmessage.TypeA && addr.Is4():
		out.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		out.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	reply, err := out.Pack()
	if err != nil {
		return nil
	}
	return reply
}

func refusedAs(err error, why string) bool {
	return err != nil && strings.Contains(err.Error(), "must not be reached by workflows ("+why+")")
}

// spellings are addresses that must not be reached, in forms that parsers take.
func spellings() map[string]string {
	return map[string]string{
		"http://127.0.0.1/": "loopback", "http://127.0.0.1:8080/": "loopback", "http://[::1]/": "loopback", "http://[::ffff:127.0.0.1]/": "loopback",
		"http://[::ffff:7f00:1]:80/": "loopback", "http://[0:0:0:0:0:ffff:127.0.0.1]/": "loopback", "http://0.0.0.0/": "this host", "http://[::]/": "this host",
		"http://169.254.169.254/latest/meta-data/": "metadata of the cloud", "http://10.0.0.1/": "a private network", "http://[fd00::1]/": "a private network",
		"http://[64:ff9b::7f00:1]/": "loopback", "http://localhost/": "loopback", "http://metadata.google.internal/": "metadata of the cloud",
		"http://METADATA.google.internal./": "metadata of the cloud", "http://LOCALHOST/": "loopback",
		"http://user:password@127.0.0.1/": "loopback", "http://public.example@127.0.0.1/": "loopback", "http://[fe80::1%25eth0]/": "link-local",
		"http://[2002:7f00:1::]/": "loopback", "http://[2002:a9fe:a9fe::]/": "metadata of the cloud", "http://[64:ff9b::a00:1]/": "a private network",
		"http://[::127.0.0.1]/": "loopback", "https://127.0.0.1/": "loopback", "HTTP://127.0.0.1/": "loopback", "http://127.0.0.1/#@public.example": "loopback",
		"http://[64:ff9b:1::7f00:1]/": "a private network behind NAT64", "http://[2001:0:7f00:1::]/": "reserved",
	}
}

// TestSpellings wants none of them reached, neither at once nor by a redirect.
func TestSpellings(t *testing.T) {
	t.Parallel()
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	allowed := s.Listener.Addr().String()
	c := client(t, allowed, nil)
	for address, why := range spellings() {
		if _, _, err := get(t, c, Request{URL: address}); !refusedAs(err, why) {
			t.Errorf("%s: %v, want it refused as %s", address, err, why)
		}
		if _, _, err := get(t, c, Request{URL: s.URL + "/?to=" + url.QueryEscape(address)}); !refusedAs(err, why) {
			t.Errorf("a redirect to %s: %v, want it refused as %s", address, err, why)
		}
	}
	// These are names for the resolver, which knows none of them, and never
	// addresses that are reached.
	for _, address := range []string{
		"http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://0x7f000001/", "http://127.0.0.1./", "http://%31%32%37.0.0.1/", "http://①②⑦.0.0.1/",
		"http://localhost./", "http://a.localhost/", "http://127。0。0。1/", "http://[127.0.0.1]/", "http:///127.0.0.1/", "http:127.0.0.1", "//127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "http://127.0.0.1\t/",
	} {
		if _, _, err := get(t, c, Request{URL: address}); err == nil {
			t.Errorf("%s was reached", address)
		}
		if _, _, err := get(t, c, Request{URL: s.URL + "/?to=" + url.QueryEscape(address)}); err == nil {
			t.Errorf("a redirect to %s was followed to an answer", address)
		}
	}
	if _, refused := c.Counts(); refused < int64(2*len(spellings())) {
		t.Errorf("%d requests were counted as refused, want at least %d", refused, 2*len(spellings()))
	}
}

func TestNamesAreCheckedAfterTheirLookup(t *testing.T) {
	t.Parallel()
	s := server(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "reached") })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	var asked atomic.Int32
	names := resolver(t, func(name string) string {
		switch name {
		case "inside.example":
			return "127.0.0.1"
		case "inside6.example":
			return "::ffff:127.0.0.1"
		case "rebinding.example":
			if asked.Add(1) == 1 {
				return "127.0.0.1"
			}
			return "10.0.0.1"
		}
		return "192.168.7.7"
	})
	c := client(t, "", func(c *Config) { c.Resolver = names })
	for name, why := range map[string]string{"inside.example": "loopback", "inside6.example": "loopback", "other.example": "a private network"} {
		if _, _, err := get(t, c, Request{URL: "http://" + name + ":" + port}); !refusedAs(err, why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The first lookup gives an address that is allowed, the next one does not.
	c = client(t, "127.0.0.1:"+port, func(c *Config) { c.Resolver = names })
	c.transport.DisableKeepAlives = true
	var last error
	for range 4 {
		if _, body, err := get(t, c, Request{URL: "http://rebinding.example:" + port}); err == nil && body != "reached" {
			t.Fatalf("something else was reached: %q", body)
		} else {
			last = err
		}
	}
	if !refusedAs(last, "a private network") {
		t.Errorf("after the name changed: %v", last)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/once":
			http.Redirect(w, r, "/end", http.StatusSeeOther)
		case "/same":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/for-ever":
			http.Redirect(w, r, "/for-ever", http.StatusFound)
		case "/inside":
			http.Redirect(w, r, "http://169.254.169.254/latest/", http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		default:
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s", r.Method, body)
		}
	})
	c := client(t, target.Listener.Addr().String(), nil)
	post := func(path, mode string) (*Response, string, error) {
		return get(t, c, Request{URL: target.URL + path, Method: "POST", Body: []byte("x"), Redirect: mode})
	}
	if r, body, err := post("/once", "follow"); err != nil || body != "GET " || !r.Redirected || !strings.HasSuffix(r.URL, "/end") {
		t.Errorf("303: %+v %q %v", r, body, err)
	}
	if _, body, err := post("/same", "follow"); err != nil || body != "POST x" {
		t.Errorf("307: %q %v", body, err)
	}
	if r, _, err := post("/once", "manual"); err != nil || r.Status != http.StatusSeeOther || r.Redirected {
		t.Errorf("manual: %+v %v", r, err)
	}
	for path, want := range map[string]string{"/for-ever": "more than 20 redirects", "/inside": "(metadata of the cloud)", "/file": "only http: and https:"} {
		if _, _, err := post(path, "follow"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, _, err := post("/once", "error"); err == nil || !strings.Contains(err.Error(), "is a redirect") {
		t.Errorf("error: %v", err)
	}
}

func TestBodiesOfAnswers(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	zip := func(open func(io.Writer) io.WriteCloser, size int) []byte {
		var out bytes.Buffer
		w := open(&out)
		w.Write(make([]byte, size))
		w.Close()
		return out.Bytes()
	}
	gz := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	deflate := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zip(gz, 1000))
		case "/deflate":
			w.Header().Set("Content-Encoding", "deflate")
			w.Write(zip(deflate, 1000))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zip(gz, 64*limit))
		case "/huge":
			for range 2 * limit / 1024 {
				if _, err := w.Write(make([]byte, 1024)); err != nil {
					return
				}
			}
		case "/br":
			w.Header().Set("Content-Encoding", "br")
			fmt.Fprint(w, "x")
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "x")
		case "/broken":
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "this is no gzip")
		case "/echo":
			fmt.Fprint(w, r.Header.Get("Accept-Encoding"), "|", r.Header.Get("User-Agent"), "|", r.Header.Get("Cookie"), "|", r.Host, "|", r.Header.Get("Te"))
		}
	})
	c := client(t, s.Listener.Addr().String(), func(c *Config) { c.MaxResponse = limit })
	for path, want := range map[string]int{"/gzip": 1000, "/deflate": 1000} {
		if _, body, err := get(t, c, Request{URL: s.URL + path}); err != nil || len(body) != want {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
	}
	for path, want := range map[string]string{
		"/bomb": "more than 1048576 bytes", "/huge": "more than 1048576 bytes", "/br": `compressed with "br"`, "/cut": "unexpected EOF", "/broken": "gzip: invalid header",
	} {
		if _, _, err := get(t, c, Request{URL: s.URL + path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	_, body, err := get(t, c, Request{URL: s.URL + "/echo", Headers: [][2]string{{"host", "other.example"}, {"te", "trailers"}, {"accept-encoding", "br"}, {"user-agent", "mine"}}})
	if want := "gzip, deflate|mine||other.example|"; err != nil || body != want {
		t.Errorf("headers: %q, %v; want %q", body, err, want)
	}
	if _, _, err := get(t, c, Request{URL: s.URL, Method: "POST", Body: make([]byte, MaxRequest+1)}); err == nil {
		t.Error("a request that is too large was made")
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	if c := client(t, "", nil); c.transport.Proxy != nil {
		t.Error("the transport has a proxy")
	}
}

func TestCancelledRequestsEnd(t *testing.T) {
	t.Parallel()
	reached, over := make(chan struct{}), make(chan struct{})
	s := server(t, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
		close(over)
	})
	c := client(t, s.Listener.Addr().String(), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	go func() {
		<-reached
		cancel()
	}()
	if _, err := c.Do(ctx, Request{URL: s.URL, Method: "GET"}); err == nil {
		t.Error("it succeeded")
	}
	<-over
}
