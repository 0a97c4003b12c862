// Package kv is the key-value store of workflows: tables of JSON values in a
// namespace, under the alias of a store. It owns the rules: which names there
// are, how large values may be, and who may read and write a table.
//
// A run reaches the tables that its workflow has a permission for, and makes
// new ones, which are then its own. People reach all tables of a namespace, or
// act as one of its workflows. Every value has a version, so that a writer can
// say which one it replaces, and numbers can be counted up.
//
// What a run writes is fenced: it counts only while the attempt that asks is
// the one that the execution is in. The store holds that, in the same
// transaction.
//
// The wire is package api's: a run's code asks over the pipe of its process or
// over HTTP with the run's token, and both come here.
package kv
