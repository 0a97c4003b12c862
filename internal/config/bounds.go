package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// CheckBounds returns the flags whose value is outside of what their tags `min`
// and `max` allow.
func CheckBounds(flags []*kong.Flag) ([]Problem, error) {
	var problems []Problem
	for _, flag := range flags {
		low, high, bounded, err := Bounds(flag)
		if err != nil {
			return nil, err
		}
		if !bounded {
			continue
		}
		if v := flag.Target.Int(); v < low.Int() || v > high.Int() {
			problems = append(problems, Problem{
				Setting: SettingName(flag),
				Text:    fmt.Sprintf("%s is not allowed; allowed: %s to %s", Show(flag.Target), Show(low), Show(high)),
			})
		}
	}
	return problems, nil
}

// Bounds returns the least and the greatest value that a flag allows, and
// whether it has such bounds. An error is a fault in the flag's tags.
func Bounds(flag *kong.Flag) (low, high reflect.Value, bounded bool, err error) {
	if !flag.Tag.Has("min") {
		return low, high, false, nil
	}
	decode := func(text string) reflect.Value {
		v := reflect.New(flag.Target.Type()).Elem()
		scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
		if failed := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, v); failed != nil {
			err = fmt.Errorf("bounds of --%s: %w", flag.Name, failed)
		}
		return v
	}
	low, high = decode(flag.Tag.Get("min")), decode(flag.Tag.Get("max"))
	return low, high, err == nil, err
}

// SettingName names a flag's setting as a person writes it: the variable with
// the flag behind it.
func SettingName(flag *kong.Flag) string {
	if len(flag.Tag.Envs) == 0 {
		return "--" + flag.Name
	}
	return flag.Tag.Envs[0] + " (--" + flag.Name + ")"
}

// Show writes a value of a setting as a person would.
func Show(v reflect.Value) string {
	if d, ok := v.Interface().(time.Duration); ok {
		text := d.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		return text
	}
	return fmt.Sprint(v.Interface())
}
