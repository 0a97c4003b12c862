// Package pool keeps the child processes that run user code: it starts them,
// gives each to one organization, lends it out to one caller at a time, and
// ends it when it is idle, worn out, or no longer to be trusted.
//
// A child that was lent comes back by Release, or is killed. Whatever happens,
// every process that was started is waited for, so that none stays behind as a
// zombie, and Stop returns when all are gone.
package pool
