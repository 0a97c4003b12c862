// Package enginetest is the suite that every engine passes.
//
// An engine is tried through a Harness, which starts it and writes programs for
// it: the suite says what a program does, the harness in which words.
package enginetest
