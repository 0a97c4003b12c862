//go:build linux && (amd64 || arm64)

package sandbox

// Restrict is Landlock alone.
var Restrict = restrict
