// Package centrifugotest runs a real Centrifugo, which scripts/setup builds, on
// free ports of this machine. Tests that use it have the build tag external.
//
// The module proxy has version 5, whose HTTP API and proxy protocol are those of
// version 6 and whose settings have other names; a configuration of version 6 is
// translated. It does not pass on the headers that a client sends inside its
// first frame, so tests send real ones.
package centrifugotest
