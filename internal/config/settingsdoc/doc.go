// Command settingsdoc prints docs/settings.md, made of the tags of the settings
// themselves. `make generate` writes the page, a test and `make verify` refuse
// one that is stale.
package main
