// Package issuer checks the tokens of an issuer outside of this server: JSON Web
// Tokens that are signed with keys which the issuer publishes.
//
//	text → known already? → form, algorithm, issuer, audience → key → signature → times
//
// What keeps a stranger from wearing out the server or the issuer stands here
// once, for all ways to log in that have one: sizes and times of requests are
// bounded, keys and descriptions are kept and served on while the issuer is
// down (Document), a key that nobody knows has them read again, but not often,
// and what was checked is remembered for a while (Recent).
//
// A token that is wrong is fault.Unauthenticated, whoever is to blame. That it
// can't be told now, because the issuer does not answer, is fault.Unavailable:
// clients that are told otherwise throw their login away.
//
// Whose token it is and what that means belongs to the ways to log in.
package issuer
