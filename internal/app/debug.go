package app

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// maxProfile is how long a profile may be taken, in seconds.
const maxProfile = 300

// listenDebug serves what developers of flowwd look at, and returns the server
// that does. Nobody is asked who they are: the settings allow addresses of the
// machine itself alone.
func (s *Server) listenDebug(bind func(address, setting string) (net.Listener, error)) (*http.Server, error) {
	l, err := bind(s.config.Settings.DebugListen, "--debug-listen")
	if err != nil {
		return nil, err
	}
	s.debug = l.Addr()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.debugPage)
	mux.HandleFunc("GET /debug/pprof/", bounded(pprof.Index))
	mux.HandleFunc("GET /debug/pprof/profile", bounded(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/trace", bounded(pprof.Trace))
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/cmdline", noCommandLine)
	server := &http.Server{
		Handler: fromHere(mux), ReadHeaderTimeout: proxyHeaderTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: s.router.Server().ErrorLog,
	}
	s.serve(func() error { return server.Serve(l) })
	s.log.Info("profiles and figures of the process are served", "url", "http://"+l.Addr().String()+"/")
	return server, nil
}

// fromHere answers only requests that name this machine itself: a page in a
// browser could otherwise have its own name point here and read the answers.
func fromHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "This address is for the machine itself; use 127.0.0.1 or localhost.", http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// bounded refuses a profile that would be taken for too long.
func bounded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if text := r.FormValue("seconds"); text != "" {
			seconds, err := strconv.Atoi(text)
			if err != nil || seconds < 1 || seconds > maxProfile {
				http.Error(w, fmt.Sprintf("seconds=%.20q: give a whole number, 1 to %d.", text, maxProfile), http.StatusBadRequest)
				return
			}
		}
		next(w, r)
	}
}

// noCommandLine takes the place of pprof's own, whose answer may hold secrets.
func noCommandLine(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "The command line is not shown: it may hold secrets.", http.StatusForbidden)
}

// debugPage says in plain text how the process is.
func (s *Server) debugPage(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"version", s.config.Version},
		{"Go", runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH},
		{"up for", s.config.Now().Sub(s.started).Round(time.Second).String()},
		{"processors", strconv.Itoa(runtime.GOMAXPROCS(0))},
		{"goroutines", strconv.Itoa(runtime.NumGoroutine())},
		{"heap in use", humanize.IBytes(m.HeapInuse)},
		{"heap objects", humanize.Comma(int64(m.HeapObjects))},
		{"stacks", humanize.IBytes(m.StackInuse)},
		{"from the system", humanize.IBytes(m.Sys - m.HeapReleased)},
		{"collections", strconv.FormatUint(uint64(m.NumGC), 10)},
		{"last pause", time.Duration(m.PauseNs[(m.NumGC+255)%256]).String()},
		{"profiles", "/debug/pprof/"},
		{"figures", s.URL() + "/metrics"},
	} {
		fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
	}
	_ = t.Flush() // whoever asked is gone then
}
