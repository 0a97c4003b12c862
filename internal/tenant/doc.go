// Package tenant owns organizations, the namespaces inside them, and who is a
// member with which role.
//
// Every stored object belongs to one organization; an object of another one is
// not found. This package knows nothing of credentials (identity) nor of what a
// role may do (access).
package tenant
