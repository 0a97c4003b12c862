// Package sandbox gives up, for the process that calls it and for good, all
// that computing in memory does not need: files, network, other processes, new
// descriptors, and memory beyond a bound.
//
// The borders are the kernel's: resource limits, Landlock (no file, and from
// the levels that have them no TCP, no signal and no abstract socket to the
// outside), and over them a seccomp list of the few system calls that a Go
// program computing in memory makes. Each holds alone; the list holds what the
// others do not know yet.
//
// Only Linux on amd64 and arm64 has it. Elsewhere everything compiles and
// Supported says what is missing.
package sandbox
