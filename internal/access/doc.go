// Package access decides whether a principal may do an action to a resource.
//
//	role in the organization, or a greater one granted on the resource or on
//	what holds it → enough for the action? → within the credential's scope?
//
// A route declares a Policy; the zero Policy denies and stops the start. A
// resource of an organization that the principal is no member of is not found,
// because "denied" would say that it exists. Roles granted on single resources
// add to the role in the organization and never take from it. Being an
// administrator of the installation opens /admin and nothing else.
//
// Decide also says why, for people who ask (GET /api/access/explain).
package access
