// Package workflow owns workflows, the folders they are in, their deployments,
// and what a deployment declares: triggers and providers.
//
// It says what these things are and which names they may have. Turning source
// files into a program is the engine's work, activating a deployment is
// package deploy's, matching declared triggers with real ones package
// trigger's.
package workflow
