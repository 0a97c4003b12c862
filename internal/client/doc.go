// Package client is the client of the public API behind the commands `deploy`,
// `logs` and `login`: the project folder on one side, the API's calls on the other.
//
//	floww.yaml → files of the project and the package files they reach
//	→ workflow, made when it is new → deployment → addresses of webhooks
//
// Who calls is told by an API key, or by a login that a person approves in a
// browser (LogIn) and that is kept in a file and renewed (Logins, UseLogin).
//
// It knows of the server only what the API says of itself; no rule of the
// server is repeated here, except the bounds of what can be sent at all. Its
// errors are for the person at the keyboard: what is wrong, where, and what to
// do.
package client
