// Package apptest starts whole flowwd servers for tests: in this process, or as
// the built binary that can be killed and started again, and speaks to them as
// a client does.
//
// Its own tests are named after what flowwd promises. Nothing here is linked
// into the binary.
package apptest
