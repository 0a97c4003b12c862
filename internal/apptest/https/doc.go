// Package https_test lets real authorities give certificates to the built binary:
// Pebble, the one that the authors of Let's Encrypt test clients with.
package https_test
