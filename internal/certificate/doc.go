// Package certificate gets certificates for the server's own domains from a
// certificate authority by ACME (RFC 8555), renews them, and answers handshakes
// with them.
//
// What was got is kept in the store, sealed, so that servers that share a database
// share it too, and a restart asks nobody. Only a loop of its own orders
// certificates, with growing waits: authorities stop those who ask too often, and
// a visitor must not make the server ask.
//
// Listeners and the settings belong in app.
package certificate
