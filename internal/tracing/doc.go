// Package tracing tells what happens to requests and runs as OpenTelemetry
// traces, when an address is set to send them to. Nobody else knows
// OpenTelemetry.
//
// A run is told in a trace of its own, whose id is the execution's: a run is not
// where and when its event was accepted, and so every server finds the trace
// without anything being stored, and so does a person who has the execution's id.
// Who samples decides by the same bits, and comes to the same everywhere.
//
//	POST /webhook/{path}        the root, or "accept" where no request caused it
//	├─ accept an event
//	│  └─ accept an execution   a unit of the database
//	├─ wait                     for a slot, before the first attempt
//	└─ run                      one for each attempt, on any server
//	   ├─ invoke                the code, in its process or container
//	   │  └─ fetch, kv    what it asks for
//	   └─ finish an execution
//
// A request that causes one run is the root of the run's trace; any other has a
// trace of its own, and the runs that it causes are linked with it. A traceparent
// that comes with a request is linked too, and never continued: most proxies pass
// on what strangers write there, who could otherwise have everything recorded, or
// put spans into the traces of others.
//
// Spans hold names, ids, numbers and states; no bodies, headers, addresses of
// fetches beyond their host, or texts of errors, in which secrets can stand.
//
// A nil Tracer and a nil Span do nothing.
package tracing
