// Package transfer is what backup, restore and migrate have in common: every row
// of every table of one consistent state of a database, on its way into another
// database or into a file.
//
//	source → Sink:   Table, its rows, EndTable, Table, …
//
// A database is a source and a Sink (store), and so is a file (Reader and
// Writer). Values are of six kinds that mean the same in all databases, and rows
// come in the order of their table's primary key, so that the SHA-256 of a
// table's rows can be compared wherever they are.
//
// # The file
//
// A line names the format and its version; all that follows is compressed with
// zstd. Inside are records, each with its type in the first byte:
//
//	'H' JSON               who made the file, when, of which schema
//	'K' name, content      one file of keys
//	'T' JSON               a table: its name, and its columns with their kinds
//	'R' values             one row of it
//	'S' rows, SHA-256      the end of the table: the number and the sum of its rows
//	'E' SHA-256            the end: the sum of all records but the rows
//
// Lengths and numbers are varints; texts and bytes come behind their length. A
// value is 0 for NULL, or 1 and the value. Nothing may follow the end.
//
// The package knows no SQL and no table by name.
package transfer
