// Package fetch makes the requests of workflow code, in the server's process.
//
// A policy decides which addresses code may reach. It is asked for the address
// that is dialled, after the name was looked up, for each connection and each
// redirect: there is no moment between check and use. Proxies of the environment
// are not used, and nothing is remembered between requests but connections.
package fetch
