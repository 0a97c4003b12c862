// Package bundle turns the files of a deployment into one script for the
// embedded engine, and stacks of that script back into the author's files and
// lines.
//
//	source → resolve every import among the uploaded files and the SDK
//	       → compile, tree-shake, one IIFE → script + source map
//
// The script is evaluated in the global scope. Its imports are resolved by this
// package alone, over files in memory: the compiler underneath is handed texts
// and never looks at the disk, the network or the environment, so that Build
// works in a process that may open nothing, and so that a source can pull in
// no file of the machine.
//
// What cannot work in the embedded engine (parts of Node, packages that were
// not uploaded, classes the SDK does not have, top-level await) is refused here
// with file and line.
package bundle
