// Package centrifugo is the home of the channels in a Centrifugo server, version
// 6, outside of this process.
//
// Events are published over its HTTP API. Who may connect and subscribe it asks
// of this server (package api answers, package realtime decides). Configuration
// says how such a server must be configured for that, and Check whether a
// running one is.
package centrifugo
