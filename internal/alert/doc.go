// Package alert tells when executions of a workflow have failed for good: by a
// webhook, by mail, and to the handler that the workflow's code declares with
// onFailure.
//
// The store counts a failure in the unit that ends the execution, in the
// workflow's row of each receiver, so that a failure that is stored is told, be
// it after a restart. A loop makes one notice of what a row has gathered, at most
// one a minute, and sends it until somebody took it or it has been tried for
// about half a day; what fails meanwhile is gathered for the next. Runs never
// wait for any of this, and a notice may come twice, with the same id.
//
// A failure of the handler itself is told to people and never to the handler.
//
// The package knows neither HTTP nor SMTP: it is given ways to send.
package alert
