// Package registrytest runs a registry of container images in the process of a
// test: that of the distribution library, with the library's own ways to ask who
// somebody is.
package registrytest
