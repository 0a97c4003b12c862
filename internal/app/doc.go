// Package app puts the parts of flowwd together, starts them in order and stops
// them in reverse.
//
//	data folder lock → store → engine → webhooks' routes → executions → HTTP
//
// It is the only place where implementations meet: every other package is given
// what it needs. No rule of the product belongs here.
package app
