// Package runner is the child process that runs user code: it goes into the
// sandbox, says hello, and answers requests from its standard input until that
// is closed.
//
// It serves one request at a time. A request that takes too long is ended from
// outside, with the process.
package runner
