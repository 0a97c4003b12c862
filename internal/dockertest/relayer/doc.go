// Package main is a relay and nothing else: a program without libraries, however
// the tests are built.
package main
