// Package sdk carries the sources of the TypeScript module "floww", which
// workflow code imports, inside the binary.
//
// The sources are compiled together with the user's code when a deployment is
// made. They reach the server only through the global object that src/host.ts
// names; the version of that contract is Bridge.
package sdk

import (
	"embed"
	"io/fs"
)

// Version is that of package.json.
const Version = "0.1.0"

// Bridge is the version of the calls that the module makes to its host.
const Bridge = 1

// Entry is the path of the module's entry, as Source takes it.
const Entry = "src/index.ts"

//go:embed package.json src/*.ts
var files embed.FS

// Source returns the text of one file of the module.
func Source(path string) (string, bool) {
	text, err := fs.ReadFile(files, path)
	return string(text), err == nil
}
