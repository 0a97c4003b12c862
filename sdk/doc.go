// Package sdk carries the sources of the TypeScript module "floww", which
// workflow code imports, inside the binary.
//
// The sources are compiled together with the user's code when a deployment is
// made. They reach the server only through the global object that src/host.ts
// names; the version of that contract is Bridge.
package sdk
