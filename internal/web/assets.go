package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/route"
)

//go:embed assets
var files embed.FS

const (
	assetsFolder = "assets"
	stylesheet   = "floww.css"
	icon         = "icon.svg"
	// centrifuge is the realtime client of browsers, as its authors build it;
	// TestCentrifugeIsThePublishedOne compares. live is this server's own.
	centrifuge = "centrifuge.js"
	live       = "live.js"
	// hashSize is how much of a hash stands in an address, in bytes.
	hashSize = 8
)

// contentTypes are those of all sorts of assets.
var contentTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// assetHash names the content of an asset; empty when there is no such asset.
func assetHash(name string) string {
	content, err := files.ReadFile(path.Join(assetsFolder, name))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:hashSize])
}

// assetURL is the address of an asset as it is in this binary.
func assetURL(name string) string { return "/assets/" + assetHash(name) + "/" + name }

func registerAssets(r *route.Router) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: "/assets/{hash}/{name}", Policy: access.Public(access.ReadAssets), Quiet: true,
	}, route.NoObject(), func(w http.ResponseWriter, _ *http.Request, c route.Call[route.None]) error {
		name := c.Param("name")
		content, err := files.ReadFile(path.Join(assetsFolder, name))
		contentType := contentTypes[path.Ext(name)]
		// During an upgrade a page of one version may ask a server of the other:
		// another content under this address must not be kept for good.
		if err != nil || contentType == "" || c.Param("hash") != assetHash(name) {
			w.Header().Set("Cache-Control", "no-store")
			return fault.New(fault.NotFound, "There is no such file")
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		return route.WriteBody(w, http.StatusOK, contentType, content)
	})
}
