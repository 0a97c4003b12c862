package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// maxParts is the greatest number of layers or images in a manifest; container
// engines take 127 layers.
const maxParts = 500

// described is what matters of a manifest before a storage gets it.
type described struct {
	Layers    []part `json:"layers"`
	Manifests []part `json:"manifests"`
}

type part struct {
	URLs []string `json:"urls"`
}

// checkManifest refuses manifests that a storage would keep, or fail on, and
// that no runtime could be made of. What is no manifest at all is for the storage
// to say.
func checkManifest(r *http.Request) error {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return NewError(http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", "a manifest has at most %d MiB", manifestSize>>20)
	}
	r.Body = io.NopCloser(bytes.NewReader(content))
	var m described
	if json.Unmarshal(content, &m) != nil {
		return NewError(http.StatusBadRequest, "MANIFEST_INVALID", "the manifest is no JSON, or none of an image")
	}
	if n := max(len(m.Layers), len(m.Manifests)); n > maxParts {
		return NewError(http.StatusBadRequest, "MANIFEST_INVALID", "the manifest has %d parts; at most %d are allowed", n, maxParts)
	}
	for i, p := range append(m.Layers, m.Manifests...) {
		if len(p.URLs) > 0 {
			return NewError(http.StatusBadRequest, "MANIFEST_INVALID", "part %d is to be fetched from elsewhere (urls); push it with the image", i+1)
		}
	}
	return nil
}
