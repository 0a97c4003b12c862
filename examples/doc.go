// Package examples carries one of the example workflows inside the binary, for
// people who have none yet.
package examples
