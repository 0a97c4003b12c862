// Package objects says what the paths of the API and of the pages name: how each
// is loaded with its organization, and what roles are granted on. Both doors use
// the same, so that neither lets in whom the other does not.
//
// What may be done with an object belongs in access, and what is done in the
// handlers.
package objects
