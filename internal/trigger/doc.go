// Package trigger connects declared triggers with the outside: Plan matches
// what a deployment declares with the triggers that exist, and Receive turns a
// request at a webhook's address into an accepted execution.
//
//	POST /webhook/… → Routes (kept in memory) → provider checks and names the
//	delivery → execution.Accept → answer with the execution's id
//
// It does not know how a deployment is stored (deploy) nor how code runs.
package trigger
