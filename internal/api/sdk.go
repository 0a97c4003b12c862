package api

import (
	"net/http"
	"sync"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/sdk"
)

// registerSDK registers the package that npm installs from this address, for
// editors and tests. It is built when it is first asked for.
func registerSDK(r *route.Router) {
	build := sync.OnceValues(sdk.Package)
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: "/sdk/floww.tgz", Policy: access.Public(access.ReadDescription),
		OperationID: "get-sdk", Summary: "The module floww as an npm package, with its types and floww/testing", Tag: "Description", ContentType: "application/gzip",
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
		text, err := build()
		if err != nil {
			return err
		}
		return writeTagged(w, r, "application/gzip", text)
	})
}
