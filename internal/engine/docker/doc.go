// Package docker is the engine whose programs run in containers.
//
// There is one container for each organization and image. It has no network:
// beside it stands a second one, which holds its network namespace and runs the
// relay, and what the code reaches is what this engine lets through the relay:
// its own run's calls to the server, and connections that the policy of fetch
// allows. Both are started when a run needs them, stopped when none came for a
// while, and removed later.
//
// An image speaks the runtime contract: /health, /execute, and a call to
// /api/executions/{id}/complete before it answers. Our own image says in its
// health that it knows more: it answers line by line while the code runs, runs
// several at once in threads of their own, and ends one when it is told to. Any
// other image runs one at a time, and its container is killed to end a run.
//
// Flow: Invoke → the pod of organization and image → its instance, made by start
// or connect → exchange → outcome. A watcher sees how the container ends.
package docker
