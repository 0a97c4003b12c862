// Package token signs and checks the tokens of this installation: JSON Web
// Tokens (RFC 7519) with HMAC-SHA-256.
//
// A Signer is for one purpose. Its keys are derived for that purpose alone, and
// its tokens name issuer and audience, which are checked as well: a token of one
// kind never stands in for one of another. The first key signs, all of them
// verify, so that keys can be rotated. The algorithm is fixed, whatever a
// token's header says.
//
// What a valid token opens is the business of its callers.
package token
