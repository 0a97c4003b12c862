// Package none is the way to log in that is none: one person, on a machine that
// nobody else reaches, for trying things out.
//
// What an open door must still keep out is a page of another site in that
// person's browser. The router refuses what it makes the browser send; this
// package refuses what it reads by pointing a name of its own at this machine
// (DNS rebinding).
package none
