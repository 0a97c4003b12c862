// Package pgtest starts real PostgreSQL servers for tests: one cluster in a
// folder of its own on a free loopback port, stopped with the test that started
// it. It needs PostgreSQL 14 or newer on the machine, which scripts/setup
// installs; without it the tests fail.
//
// It knows nothing of flowwd's schema.
package pgtest
