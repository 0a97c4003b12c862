// Package choice is an engine made of others: each call goes to the one that the
// source or the program is for.
package choice
