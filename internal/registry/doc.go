// Package registry keeps container images: an OCI registry (distribution-spec
// 1.1) that organizations push the images of their runtimes to.
//
// Each organization has one repository, floww/<organization id>, and sees no
// other. The HTTP protocol and the files are those of the distribution library,
// which this package fences in: nothing of it is seen outside. What the library
// leaves open is done here, before it gets a request: who may do what (Parse
// says what a request is about, Grant what somebody may do), how much an
// organization may keep, and what is removed when nothing needs it any more.
//
// Whom a credential belongs to is the business of callers.
package registry
