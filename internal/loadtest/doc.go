// Package loadtest puts load on a server whose life is being made hard, and
// keeps the account: which numbered events were sent and acknowledged, which
// deployments, and what became of each in the end.
//
//	New → Start (senders and a deployer) → the test's fault → Check → … → Count
//
// An event is lost when it was acknowledged and is not in exactly one execution
// that completed with its number. It is doubled when it is in two executions,
// or when an execution was ended twice. Everything is read through the public
// API, so it holds for every database. How a server is killed or frozen is the
// business of the tests.
package loadtest
