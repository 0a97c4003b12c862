// Package api holds the HTTP operations of flowwd: one file per group of
// operations, with its wire types beside it.
//
//	/livez /readyz /health /api/health        health.go
//	/openapi.json /metrics                    description.go
//	/api/whoami                               whoami.go
//	/api/namespaces                           namespaces.go
//	/api/workflows                            workflows.go
//	/api/workflow-deployments                 deploy.go, deployments.go
//	/api/executions                           executions.go, logs.go
//	/api/executions/{id}/events               events.go
//	/webhook/…                                webhook.go
//
// An operation reads its input, calls one service and writes the result. What
// is allowed, loaded and bounded stands in its route.Spec; what happened
// instead is a fault, which package route turns into an answer. The shapes
// follow the wire contract, pages workflows-runtime and
// identity-realtime-admin, whose row names (W2, D2, E3 …) stand in the
// comments.
package api
