// Command flowwd is a workflow backend in one file: it takes in events, runs
// people's TypeScript workflows in sandboxed processes, and shows what happened.
//
// This package holds the command line: one file for each command, flags and
// printing and nothing else. What the commands do is in internal/app and
// internal/client, what they can be told in internal/config.
package main
