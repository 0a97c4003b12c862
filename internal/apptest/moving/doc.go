// Package moving holds the tests that back up, restore and migrate servers
// under load, and look for what was lost.
package moving
