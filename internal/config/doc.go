// Package config is what flowwd can be told: its settings, the folder that
// holds its data, and the keys in it.
//
// A setting is one field of a struct here. Its tags hold the flag, the
// environment variable, the default, the bounds and the help, so that the
// command line, the checks and docs/settings.md are made of the same words. A
// flag beats `<NAME>_FILE` (the value is read from that file), which beats the
// variable `<NAME>`, which beats the default. An empty variable counts as
// unset.
//
// The package knows nothing of what the settings are used for.
package config
