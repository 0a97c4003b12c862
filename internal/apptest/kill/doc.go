// Package kill holds the tests that kill flowwd and its processes and look for
// what was lost.
package kill
