// Package route is the one wrapper that every door of the server registers on.
//
// A route is a method, a path, a policy (access.Policy), the object that the
// path names, and limits. Registering one without a policy, twice, or with a
// path that names an object which nobody loads makes Router.Err fail, and with
// it the start. There are two kinds:
//
//	Operation   a JSON operation of the API, described in OpenAPI by its Go types
//	Raw         anything else: webhooks, health, metrics, event streams
//
// The way of a request:
//
//	request id → match → authenticate → load the object with its organization →
//	access.Allow → body (bounded, keys normalised) → handler → answer or problem
//	→ access line, measurements
//
// The handler gets the object typed and the principal. An object of another
// organization, an id that is none, and an absent object are the same "not
// found". Errors become answers in one table, in problem.go.
//
// Paths are matched by a tree of its own instead of http.ServeMux, which
// refuses two routes that the wire contract has side by side
// (/api/executions/workflows/{id} and /api/executions/{id}/logs), and answers
// unclean paths with redirects that the contract forbids. A literal segment
// goes before a wildcard, from left to right; one trailing slash is ignored.
//
// Nothing about workflows, SQL or any one operation belongs here.
package route
