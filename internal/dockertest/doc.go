// Package dockertest runs docker daemons, which scripts/setup installs, each with
// its own socket and data folder, and makes the image that runs workflows of
// what this machine has. Tests that use it have the build tag external, and run
// as root.
package dockertest
