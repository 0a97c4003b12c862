// Package oidctest runs an OpenID provider in the process of a test: the one of
// zitadel/oidc, with everything it keeps in memory.
//
// Nobody is asked for a password there. Whoever is Person logs in, as soon as a
// browser comes by. Its keys can be changed, it can be taken down and brought
// back, and it signs what a test wants to have signed.
package oidctest
