// Package secret keeps secrets: it encrypts what the database holds, and makes
// keys for different purposes out of one, so that they never stand in for one
// another.
//
// The key of an installation is a list, for rotation: the first one encrypts
// and signs, all of them decrypt and verify. Sealed texts are Fernet tokens,
// as the reference's are (workflows-runtime.md of the wire contract, settings:
// ENCRYPTION_KEY).
package secret
