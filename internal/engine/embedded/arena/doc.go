// Package arena is the memory that a JavaScript engine allocates from: one
// region at a fixed address, with a bound, that can be copied and put back.
//
// Putting back a copy is how a run gets a fresh realm. The region holds every
// object of the engine, so that restoring it forgets all that a run did, byte
// for byte, and costs a few microseconds instead of the making and freeing of
// a runtime.
//
// The allocator is a two-level segregated fit: constant time, neighbours
// merged, all its state in the region and in one small struct. It is not safe
// for concurrent use.
package arena
