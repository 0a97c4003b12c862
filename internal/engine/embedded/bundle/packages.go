package bundle

import (
	_ "embed"

	"github.com/evanw/esbuild/pkg/api"
)

// zodName is the package that projects have without installing it. One of
// their own comes first.
const zodName = "zod"

//go:embed packages/zod.js
var zod string

func loadPackage(api.OnLoadArgs) (api.OnLoadResult, error) { return loaded(zod, api.LoaderJS), nil }
