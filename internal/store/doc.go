// Package store keeps everything that flowwd must not forget: every line of SQL
// is here, one file for each aggregate. It implements the Store interfaces of
// the domain packages, which never import it.
//
//	method → unit → writer → one transaction for all units that wait → answer
//
// Each exported method is one atomic unit named after what it promises, and is
// durable when it returns nil; what follows from it (publish, wake, drop a
// cache) is the caller's business, after the return. Writes go through one
// writer, which runs every unit that waits under a savepoint of its own and
// commits once for all of them. Reads use a small pool of connections and see
// one consistent state each. No SQL type leaves the package.
//
// Statements are written with ? and bound by a dialect, which is where SQLite
// and PostgreSQL differ. Units only talk to the tx they are given: a second
// connection would wait for the transaction that the unit itself keeps open.
//
// Errors: faults of the domain (not found, conflict, limited, lease lost) as
// the interfaces say, fault.Unavailable when the database is locked, full or
// can't be read for now, and plain errors for what should not happen.
package store
