// Package id holds the identifiers of everything that flowwd stores: the 128
// bits of a ULID (48 bits of milliseconds, 80 of randomness), written on the
// wire as a UUID. They sort by the time they were made.
//
// The version and variant bits of a UUID carry random bits here, as in the
// reference, so a reader must not check them.
package id
