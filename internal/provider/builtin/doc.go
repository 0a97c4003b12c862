// Package builtin is the provider whose triggers need no other service: the
// plain webhook today.
//
// A webhook of user code gets the address /webhook/<workflow id>/<path>; one
// without a path gets a random address. Deliveries carry no signature that the
// server could check, so the handler is given the raw body to check one itself.
package builtin
