// Package schematest makes databases that have flowwd's schema already. They
// are copies of one that was migrated, which takes a tenth of the time of
// migrating each; what a fresh start does with an empty database is for the
// tests that start the built binary.
//
// It puts nothing into a database but the schema.
package schematest
