package builtin

import (
	"errors"
	"reflect"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxChecks bounds the work of checking one input, in parts of a schema that are
// compared with a value. A schema of a few lines whose parts refer to one another
// twice each would otherwise take years, and the memory for all that it finds
// wrong. An input of a megabyte against a schema of a page takes half of it, and all
// of it is a second.
const maxChecks = 2_000_000

// Checks that cost more than one.
const (
	// textStep is how much of a text one check looks at, in bytes.
	textStep = 16
	// maxSize bounds how far constants of a schema are counted.
	maxSize = 100_000
)

var errTooInvolved = errors.New("checking the input against the schema takes too much work; the parts of the schema refer to one another too often")

// budget is what is left of the work for the input that is being checked.
type budget struct {
	mu         sync.Mutex
	most, left int
	known      map[*jsonschema.Schema]bool
}

// bound has every part of a schema asked against a budget, by what the library
// calls for the format of a value: of all that a schema can say it comes first,
// and what fails there ends.
func bound(s *jsonschema.Schema) (*budget, error) {
	b := &budget{most: maxChecks, known: map[*jsonschema.Schema]bool{}}
	return b, b.add(s)
}

func (b *budget) add(s *jsonschema.Schema) error {
	if s == nil || b.known[s] {
		return nil
	}
	b.known[s] = true
	if strings.Contains(s.Location, "://json-schema.org/") {
		return errors.New("a schema can't refer to the one of schemas")
	}
	parts := partsOf(s)
	weight := 1
	for _, part := range parts {
		if err := b.add(part); err != nil {
			return err
		}
		weight += 1 + constants(part)
	}
	own := s.Format
	s.Format = &jsonschema.Format{Name: "bounded", Validate: func(v any) error {
		if b.left -= weight + sizeOf(v); b.left < 0 {
			return errTooInvolved
		}
		if own != nil {
			return own.Validate(v)
		}
		return nil
	}}
	if own != nil {
		s.Format.Name = own.Name
	}
	return nil
}

// validate checks a value, one at a time.
func (b *budget) validate(s *jsonschema.Schema, v any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = b.most
	err := s.Validate(v)
	if b.left < 0 {
		return errTooInvolved
	}
	return err
}

// partsOf returns the schemas that a schema is made of.
func partsOf(s *jsonschema.Schema) []*jsonschema.Schema {
	var parts []*jsonschema.Schema
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Interface:
			walk(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(v.MapIndex(key))
			}
		case reflect.Pointer:
			switch at := v.Interface().(type) {
			case *jsonschema.Schema:
				if at != nil {
					parts = append(parts, at)
				}
			case *jsonschema.DynamicRef:
				if at != nil && at.Ref != nil {
					parts = append(parts, at.Ref)
				}
			}
		}
	}
	whole := reflect.ValueOf(s).Elem()
	for i := range whole.NumField() {
		if whole.Type().Field(i).IsExported() {
			walk(whole.Field(i))
		}
	}
	return parts
}

// constants is what it costs to compare a value with those of a schema.
func constants(s *jsonschema.Schema) int {
	n := 0
	if s.Const != nil {
		n += deepSize(*s.Const, maxSize)
	}
	if s.Enum != nil {
		n += deepSize(s.Enum.Values, maxSize)
	}
	return n
}

// sizeOf is what looking at a value costs, without what is in it.
func sizeOf(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) / textStep
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

// deepSize is the same with what is in it, up to a bound.
func deepSize(v any, most int) int {
	n := 1 + sizeOf(v)
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if n >= most {
				break
			}
			n += deepSize(item, most-n)
		}
	case map[string]any:
		for _, item := range v {
			if n >= most {
				break
			}
			n += deepSize(item, most-n)
		}
	}
	return n
}
