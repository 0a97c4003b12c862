// Package bridge is the language between the server and the child processes
// that run user code: frames on a pipe, each with a length, a kind and a
// payload of length-prefixed fields.
//
//	child → server   hello
//	server → child   compile                      → compiled | failed
//	server → child   program…, define             → defined | failed
//	server → child   program…, run                → log…, done | failed
//	child → server   ask, during a run            → reply
//	child → server   pull, for the next part      → reply
//	child → server   cancel, for no more
//
// The server believes nothing that a child says: every length is checked
// before memory is taken for it, and a frame that breaks a rule is an error,
// for which the child is killed.
package bridge
