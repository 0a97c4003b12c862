// Package realtime tells people what happens to their workflows, while it
// happens: one channel for each workflow, `workflow:<workflow id>`.
//
//	execution (after the commit) → Feed: bounded, ordered for each workflow →
//	Transport: the node in this process, or Centrifugo → subscribers
//
// The order is the one in which the Feed is told. Each run tells for itself when
// its commit is done, so that of two runs that end together either may be first.
//
// Gate decides who may connect and to which channels somebody may subscribe;
// both homes ask it. The embedded node asks it directly, Centrifugo through its
// proxy calls (/centrifugo/connect and /centrifugo/subscribe).
//
// What is published is for the eyes of those who may see the workflow, and is
// never needed for anything else: a Feed that is full drops, counts what it
// dropped, and tells subscribers with an event `gap` that they must load the
// state anew. Nothing here delays or fails an event.
//
// The shapes on the wire are those of section 4 of identity-realtime-admin.md
// of the wire contract.
package realtime
