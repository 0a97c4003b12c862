package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Sources say where settings come from, by the names of their flags; those that are
// missing have their defaults.
type Sources map[string]string

// Sources returns where the settings of a command line come from.
func (e *Environ) Sources(parsed *kong.Context) Sources {
	sources := Sources{}
	for _, flag := range parsed.Flags() {
		if len(flag.Tag.Envs) == 0 {
			continue
		}
		if source, text, err := e.value(flag.Tag.Envs[0]); err == nil && text != "" {
			sources[flag.Name] = source
		}
	}
	for _, part := range parsed.Path {
		if part.Flag != nil && !part.Resolved {
			sources[part.Flag.Name] = "--" + part.Flag.Name
		}
	}
	return sources
}

// Shown is a setting that is in force.
type Shown struct {
	Group, Variable, Flag, Help string
	// Value is empty when there is none. Of a secret it is never shown, only that
	// there is one.
	Value  string
	Secret bool
	// Source is a flag, a variable, or a variable that names a file; empty for the
	// default.
	Source string
}

// Show returns all settings as they are in force, in the order of the documentation.
func (s Settings) Show(sources Sources) ([]Shown, error) {
	parser, err := kong.New(&s, kong.NoDefaultHelp())
	if err != nil {
		return nil, fmt.Errorf("read the tags of the settings: %w", err)
	}
	var all []Shown
	for _, flag := range Flags(parser.Model.Node) {
		shown := Shown{
			Group: flag.Group.Key, Variable: flag.Tag.Envs[0], Flag: "--" + flag.Name, Help: flag.Help, Secret: flag.Tag.Has("secret"), Source: sources[flag.Name],
		}
		switch value := flag.Target.Interface().(type) {
		case []string:
			shown.Value = strings.Join(value, ", ")
		case string:
			shown.Value = value
		default:
			shown.Value = fmt.Sprint(value)
		}
		if shown.Secret && shown.Value != "" {
			shown.Value = "set"
		}
		all = append(all, shown)
	}
	slices.SortStableFunc(all, func(a, b Shown) int { return strings.Compare(a.Group, b.Group) })
	return all, nil
}
