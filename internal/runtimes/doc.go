// Package runtimes keeps what the code of organizations can run in beside the
// embedded runtime: images that they have pushed, made ready before anything is
// deployed to them.
//
// A runtime begins as in progress and becomes completed or failed. One server at
// a time makes it ready, under a claim that others take over when it is not
// renewed, so that a runtime becomes one or the other whatever happens to
// servers. Making a failed or removed one again begins anew, with what its tag
// stands for then; what is completed never changes its image.
//
// How an image runs is the business of engines, how it is kept that of the
// registry.
package runtimes
