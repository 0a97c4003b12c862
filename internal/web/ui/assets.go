package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

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
	// common is what every page for somebody who is known runs.
	common = "ui.js"
	// hashSize is how much of a hash stands in an address, in bytes.
	hashSize = 8
)

// The scripts that pages may name in their Frame.
const (
	// Centrifuge is the realtime client, as its authors build it;
	// TestCentrifugeIsThePublishedOne compares. Live follows the runs of a page with it.
	Centrifuge = "centrifuge.js"
	Live       = "live.js"
)

// contentTypes are those of all sorts of assets.
var contentTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// asset is a file that browsers load. Hash names its content.
type asset struct {
	hash                string
	content, compressed []byte
}

// assets are the files by their names.
var assets = sync.OnceValues(func() (map[string]asset, error) {
	all := map[string]asset{}
	names, err := fs.ReadDir(files, assetsFolder)
	if err != nil {
		return nil, err
	}
	for _, entry := range names {
		content, err := files.ReadFile(path.Join(assetsFolder, entry.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		a := asset{hash: hex.EncodeToString(sum[:hashSize]), content: content}
		if a.compressed, err = compressed(content); err != nil {
			return nil, err
		}
		all[entry.Name()] = a
	}
	return all, nil
})

func compressed(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// AssetURL is the address of an asset as it is in this binary; one without a hash,
// which leads nowhere, when there is no such asset.
func AssetURL(name string) string {
	all, err := assets()
	if err != nil {
		return ""
	}
	return "/assets/" + all[name].hash + "/" + name
}

// RegisterAssets registers the files that pages load.
func RegisterAssets(r *route.Router) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: "/assets/{hash}/{name}", Policy: access.Public(access.ReadAssets), Quiet: true,
	}, route.NoObject(), serveAsset)
}

func serveAsset(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	all, err := assets()
	if err != nil {
		return err
	}
	name, h := c.Param("name"), w.Header()
	a, known := all[name]
	contentType := contentTypes[path.Ext(name)]
	// During an upgrade a page of one version may ask a server of the other:
	// another content under this address must not be kept for good.
	if !known || contentType == "" || c.Param("hash") != a.hash {
		h.Set("Cache-Control", "no-store")
		return fault.New(fault.NotFound, "There is no such file")
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		return route.WriteBody(w, http.StatusOK, contentType, a.compressed)
	}
	return route.WriteBody(w, http.StatusOK, contentType, a.content)
}
