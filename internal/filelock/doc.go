// Package filelock locks files between processes. A lock ends with its process at
// the latest. Files that are locked stay: removing one would let two processes lock
// two files of one name.
//
// What is locked, and what a process does that has to wait, is the callers'.
package filelock
