// Package workostest runs WorkOS's own emulator, which scripts/setup installs,
// on a free port of this machine. Tests that use it have the build tag external.
//
// It differs from WorkOS in the shape of its tokens (see package workos), lets
// the first of its people log in without asking, and wants an API key for the
// device login of command lines.
package workostest
