// Package realtimetest is the suite that every home of the channels passes,
// with the official client and through the doors of a whole server.
//
// It is support for tests and not part of the binary.
package realtimetest
