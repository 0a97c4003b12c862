// Package embedded runs user code as JavaScript in sandboxed child processes of
// the server: the same binary, started again.
//
//	Engine      what the rest of flowwd calls (package engine has the contract)
//	pool        starts, lends and ends the children
//	bridge      the frames on their pipes
//	runner      the child: sandbox, requests, answers
//	sandbox     what the kernel takes away from the child
//	realm       JavaScript: one fresh realm per run
//	arena       the memory that a realm lives in
//	bundle      TypeScript sources to one script
//
// A child runs one thing at a time and serves one organization for its life. It
// has no files, no network and no environment; what it sends is not believed.
// Sources are compiled in a child of their own, which ends afterwards.
//
// A run that takes too long or is cancelled ends by SIGKILL. A child that is
// killed by somebody else is an *engine.Interrupted; one that dies of its own
// doing is an *engine.Failure.
package embedded
