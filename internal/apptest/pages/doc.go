// Package pages holds tests that go through the web pages with Chromium, as a
// person does: with mouse and keyboard, and without knowing what is behind.
//
// `go test -tags external ./internal/apptest/pages -args -pictures DIR` puts pictures of the pages into a folder,
// in light, in dark and as wide as a phone, for people to look at.
package pages
