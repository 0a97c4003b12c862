// Package redistest runs Redis servers, which scripts/setup installs, on free
// ports of this machine. Tests that use it have the build tag external.
package redistest
