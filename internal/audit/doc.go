// Package audit says what is written down about who did what.
//
//	a door puts an Actor into the context → a store method that changes access,
//	keys, deployments … records an Entry in its own transaction → the chain
//
// Entries are appended and never changed. Each holds the SHA-256 of the one
// before it, so that a change of an old one shows (Verify). An entry that is
// part of a change is stored with the change or not at all; what changes
// nothing (a refusal, a login that failed) is recorded by Recorder.
//
// What an entry says before and after a change never holds a secret: keys and
// passwords appear by name alone. Retention removes the oldest entries; the
// chain then begins at the first one that is left.
package audit
