// Package deploy turns uploaded source into the active deployment of a
// workflow, and manages the deployments that were made before.
//
//	check files → engine.Compile → engine.Define (no secrets) → providers check
//	the declared triggers → one transaction: deployment, source, program,
//	triggers, webhooks, active pointer
//
// The transaction is conditional on the workflow's version, so that of two
// deployments at the same time one is refused with a conflict, and a deployment
// is whole or absent.
package deploy
