// Package dev has events of a workflow run on the machine of whoever develops
// it, by `floww dev` and its like.
//
//	sync: the command line says which triggers the code on that machine has; those
//	that no deployment has are made, for development alone → Session
//	accept: an event for a trigger of a Session whose developer is connected is
//	stored, told to the developer, and not run by the deployed code
//
// A Session is renewed while its developer is subscribed to the workflow's
// channel. It ends soon after that, when somebody ends it, when its developer may
// do less than before, and half a day after the last sync in any case; the
// triggers that were made for it go with it. Triggers of deployments are never
// changed here.
//
// The package does not know how events reach the developer (realtime) nor how
// they are kept (execution).
package dev
