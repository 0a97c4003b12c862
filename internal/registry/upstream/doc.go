// Package upstream keeps images at another registry: it answers requests of the
// OCI protocol by asking that one, with the credentials of this installation.
//
// Who may do what is decided above, in registry, before a request comes here.
// What is decided here is what leaves this server and what is believed of what
// comes back: credentials go to the upstream alone and never along with a
// redirect, contents are compared with their digests, and every answer has an
// end.
package upstream
