// Package engine is the contract of a place that runs user code.
//
// Order of calls: Compile turns a source into a program, once per deployment.
// Define extracts what the program declares, in an environment without secrets.
// Invoke runs one handler of the program for one event. All three may be called
// at the same time from many goroutines.
//
// Isolation: code of two organizations never shares a process, and no run sees
// what another left behind: each Define and Invoke starts from a fresh realm.
// The organization in the call is the isolation key.
//
// What failed: an *engine.CompileError lists problems by file and line. Invoke
// returns a *Failure when the attempt ended because of the user's code or its
// limits, and *Interrupted when it ended for a reason that is not the code's
// (the process was killed from outside, the engine is stopping); the caller may
// run it again. Any other error is the engine's own fault and counts as an
// interruption.
//
// Each child folder is one engine; enginetest is the suite that all of them
// pass.
package engine
