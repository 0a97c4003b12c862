// Package builtin is the provider whose triggers need no other service: the
// plain webhook, schedules by cron expressions, and runs that people ask for.
//
// A webhook of user code gets the address /webhook/<workflow id>/<path>; one
// without a path gets a random address. Deliveries carry no signature that the
// server could check, so the handler is given the raw body to check one itself.
//
// Everything that an author can get wrong is found at the deployment: paths,
// expressions, time zones, schemas.
package builtin
