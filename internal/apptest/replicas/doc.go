// Package replicas holds the promises of several servers that share one
// PostgreSQL database: they share the work and keep limits exactly, what one of
// them did not end is ended by the others, and one that was frozen does no harm
// when it wakes up.
package replicas
