// Package local keeps images in a folder of this server. The HTTP protocol and the
// files are those of the distribution library, which this package fences in:
// nothing of it is seen outside.
//
// Who may do what is decided above, in registry, before a request comes here.
package local
