// Package images holds the tests of the image registry through the front door:
// with the client library that other tools are made of, with requests that no
// honest client sends, and with the conformance tests of the OCI.
package images
