// Package fault names the kinds of failure that flowwd can answer with.
//
// A domain error says its kind where it is made; every door (API, webhook
// receiver, command line) owns one small table from kind to its own codes. The
// text of a fault is written for the caller and is safe to show; the wrapped
// cause is for the log. An error that is no fault is Internal: its text stays
// inside.
//
// Nothing about HTTP, SQL or any one door belongs here.
package fault
