// Package sdk carries the sources of the TypeScript module "floww", which
// workflow code imports, inside the binary.
//
// Package makes of them what npm installs for editors and tests; the folder
// types holds what the TypeScript compiler makes of the sources, which a test
// compares.
//
// The sources are compiled together with the user's code when a deployment is
// made. They reach the server only through the global object that src/host.ts
// names; the version of that contract is Bridge.
package sdk
