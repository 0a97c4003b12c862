// Package house holds the tests that keep the rules of this code base: who may
// import whom, what every package says about itself, how large files grow, what
// may not be called where, and what the binary is made of.
//
// It has no code of its own. Each test says in its message why the rule is
// there; docs/development.md tells the rules in one place.
package house
