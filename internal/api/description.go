package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/route"
)

func registerDescription(r *route.Router, d Deps) {
	// Rendered at the first request, when all operations are registered.
	document := sync.OnceValues(r.Description)
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: route.DescriptionPath, Policy: access.Public(access.ReadDescription),
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
		text, err := document()
		if err != nil {
			return err
		}
		return writeTagged(w, r, jsonType, text)
	})
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: "/metrics", Policy: access.Operator(access.ReadMeasurements), Quiet: true,
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
		d.Metrics.ServeHTTP(w, r)
		return nil
	})
}

// writeTagged answers with a text that a client may keep as long as its tag
// stays.
func writeTagged(w http.ResponseWriter, r *http.Request, contentType string, text []byte) error {
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == tag {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return route.WriteBody(w, http.StatusOK, contentType, text)
}
