// Package cron reads cron expressions and says which times they name.
//
//	Parse(expression, place) → Schedule → Next(after)
//
// An expression has five fields (minute, hour, day of the month, month, day of
// the week) or six, with seconds first, or is a word such as @daily. Where both
// days are restricted, a day that fits either counts, as in every cron.
//
// Clocks that are changed: an expression names times of a wall clock. A time
// that a clock skips counts once, at the moment after the gap, and one that a
// clock shows twice counts the first time. An expression that names every hour
// goes on by the real time instead, so that it is neither silent for an hour nor
// hurries.
//
// This package knows no clock: times are given.
package cron
