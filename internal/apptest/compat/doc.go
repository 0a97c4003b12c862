// Package compat tries packages of npm in deployed workflows, and writes the
// table of those that run into docs/compatibility.md.
package compat
