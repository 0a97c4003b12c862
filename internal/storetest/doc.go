// Package storetest is the suite that every database of the store passes: one
// file for each aggregate, and a property test that compares the queue with a
// model of it.
//
// A database joins by calling Run from a test with a Backend. Only tests import
// this package.
package storetest
