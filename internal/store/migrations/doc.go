// Package migrations holds the steps that make and change the database's
// schema: one folder for each dialect, the same numbers and names in all.
//
// It knows no Go types of the domain and runs nothing: store applies the steps.
package migrations
