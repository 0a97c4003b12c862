// Package access decides whether a principal may do an action to a resource.
//
// A route declares a Policy; the zero Policy denies and stops the start. A
// resource of an organization that the principal is no member of is not found,
// because "denied" would say that it exists.
package access
