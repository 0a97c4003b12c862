// Package records says what administrators see of each table of the database: its
// columns, what they point to, by which of them a list can be narrowed, and which
// are never shown.
//
// All is the whole table of them. A test of the store compares it with the schema,
// so that neither a table nor a column is forgotten, and holds that nothing that
// opens something (hashes of keys and cookies, what is encrypted) nor what people's
// code stored is among what is read: of such columns there is the size or nothing.
//
// Nothing is changed here: changes go through the services that own the rows.
package records
