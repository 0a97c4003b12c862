package docker

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/id"
)

const (
	// maxReport bounds the report of a run's end, in bytes, and maxAsk a
	// question.
	maxReport = 64 << 20
	maxAsk    = 11 << 20
)

// outsider is the address that containers have for the server's own doors.
const outsider = "0.0.0.0:0"

// completion is how an image that knows only the contract says that a run ended.
type completion struct {
	failed         bool
	message, stack string
	lines          []logWire
	took           time.Duration
}

// take returns what was reported, and refuses what is reported from now on.
func (r *run) take() *completion {
	r.mu.Lock()
	defer r.mu.Unlock()
	reported := r.reported
	r.reported = &completion{}
	return reported
}

// backend is what a container reaches at the relay's address: the calls of its
// own runs, and the proxy.
func (in *instance) backend() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/executions/{id}/complete", in.complete)
	mux.HandleFunc("POST /runtime/executions/{id}/asks/{name}", in.asked)
	if in.e.config.Backend != nil {
		mux.HandleFunc("/api/kv/", func(w http.ResponseWriter, r *http.Request) {
			// A container is not this machine, to which the server trusts.
			r.RemoteAddr = outsider
			in.e.config.Backend.ServeHTTP(w, r)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "The server has no "+r.Method+" "+r.URL.Path+" for containers; use its public address")
	})
	proxy := fetch.NewProxy(in.e.fetch)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || r.URL.IsAbs() {
			proxy.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// speaker is the run that a request speaks for; nil when it was refused.
func (in *instance) speaker(w http.ResponseWriter, r *http.Request) *run {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		refuse(w, http.StatusUnauthorized, "Missing or invalid Authorization header")
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	var owner *run
	for _, other := range in.runs {
		if subtle.ConstantTimeCompare([]byte(other.token), []byte(token)) == 1 {
			owner = other
		}
	}
	execution, err := id.Parse(r.PathValue("id"))
	switch {
	case owner == nil:
		refuse(w, http.StatusUnauthorized, "Invalid or expired token")
	case err != nil || owner.execution != execution:
		refuse(w, http.StatusForbidden, "Token does not match execution")
		owner = nil
	}
	return owner
}

// complete takes the report of a run's end, once.
func (in *instance) complete(w http.ResponseWriter, r *http.Request) {
	owner := in.speaker(w, r)
	if owner == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "The report is too large")
		return
	}
	reported, err := parseCompletion(body, in.e.config.Now())
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	owner.mu.Lock()
	defer owner.mu.Unlock()
	if owner.reported != nil {
		refuse(w, http.StatusConflict, "The end of this execution has been reported already")
		return
	}
	owner.reported = reported
	reply(w, http.StatusOK, map[string]any{"status": "ok", "success": true})
}

// asked answers a question of the module floww.
func (in *instance) asked(w http.ResponseWriter, r *http.Request) {
	owner := in.speaker(w, r)
	if owner == nil {
		return
	}
	if owner.ask == nil {
		refuse(w, http.StatusNotFound, "this server does not answer it")
		return
	}
	question, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAsk))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "the question is too large")
		return
	}
	answer, err := owner.ask(owner.ctx, r.PathValue("name"), question)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // a run that has gone needs none
}

func refuse(w http.ResponseWriter, status int, detail string) {
	reply(w, status, map[string]any{"detail": detail, "error": detail})
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // texts and truths; the caller may have gone
}
