// Package identity says who a caller is: it turns a credential into a
// Principal with its memberships.
//
// Today's credential is the service-account API key (`floww_sa_` and 32
// characters); other ways to log in become folders below this one. What a
// principal may do is the business of package access.
package identity
