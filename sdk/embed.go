package sdk

import (
	"embed"
	"io/fs"
)

// Version is that of package.json.
const Version = "0.2.0"

// Bridge is the version of the calls that the module makes to its host.
const Bridge = 3

// Exports are the names that workflow code can import, those of types left
// out.
const Exports = "Builtin, KVError, KVStore, KVTable, Secret, onFailure, runToken"

// Entry is the path of the module's entry, as Source takes it.
const Entry = "src/index.ts"

//go:embed package.json src/*.ts types/*.d.ts
var files embed.FS

// Source returns the text of one file of the module.
func Source(path string) (string, bool) {
	text, err := fs.ReadFile(files, path)
	return string(text), err == nil
}
