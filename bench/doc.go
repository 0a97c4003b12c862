// Command bench measures the built binary, bin/flowwd, through its front door
// and writes bench/RESULTS.md.
//
// The load generator runs on the same machine and takes its part of the
// processors; the database is on the disk of the working folder and synced as
// in production. Every figure comes with the command that made it.
package main
