// Package registry is an OCI registry (distribution-spec 1.1) that organizations
// push the images of their runtimes to.
//
// Each organization has one repository, floww/<organization id>, and sees no
// other. All that guards it is here, before any storage gets a request: what a
// request is about (Parse), what somebody may do (Grant), what is taken out of
// requests, and how much an organization may keep. Where images are kept is a
// Storage: the folders below are one each, a folder of this server and another
// registry. A storage decides nothing about who may do what.
//
// Whom a credential belongs to is the business of callers.
package registry
