// Package provider is the contract of an integration and the catalogue of those
// that this binary knows.
//
// A provider checks the triggers that user code declares for it, says what each
// of them needs to be called (a webhook today), and checks deliveries over
// their raw bytes. Each child folder is one provider; a new one is a folder and
// a line in the catalogue that app builds.
package provider
