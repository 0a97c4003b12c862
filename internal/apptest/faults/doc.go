// Package faults holds the tests that take from a server what it stands on: its
// disk, its database, its files and its clock.
package faults
