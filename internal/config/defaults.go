package config

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// Defaults returns the settings of an installation that sets nothing. An error
// is a fault in the tags.
func Defaults() (Settings, error) {
	var s Settings
	parser, err := kong.New(&s)
	if err != nil {
		return Settings{}, fmt.Errorf("read the tags of the settings: %w", err)
	}
	for _, flag := range parser.Model.Flags {
		flag.Tag.Envs = nil // what the environment says is no default
	}
	if _, err := parser.Parse(nil); err != nil {
		return Settings{}, fmt.Errorf("read the defaults of the settings: %w", err)
	}
	return s, nil
}
