// Package lines is the form in which the audit log leaves a server: JSON lines,
// one for each entry, oldest first, with the hashes that chain them.
//
// There is one spelling of each entry, so that what is read can be checked to
// the last byte, without the server that wrote it.
package lines
