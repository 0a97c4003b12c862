// Package soak holds the test that puts steady load on a server for long and
// looks for what grows: `make soak`.
package soak
