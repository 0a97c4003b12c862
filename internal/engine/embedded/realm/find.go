package realm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// triggerIndex remembers what find found, for as long as the program registers
// the same triggers.
type triggerIndex struct {
	// keys is what the prelude gave.
	keys string
	// found is the number of a trigger by the declaration that meant it.
	found map[string]int
}

// find returns the number of the registered trigger that a declaration means.
func (m *Machine) find(d workflow.Declaration) (int, error) {
	keys, ok := m.text(m.call(m.entry.identify))
	if !ok {
		return 0, m.failure(m.exception())
	}
	index := &m.program.index
	if index.keys != keys || index.found == nil {
		*index = triggerIndex{keys: keys, found: map[string]int{}}
	}
	name := declarationName(d)
	if i, ok := index.found[string(name)]; ok {
		return i, nil
	}
	i, err := search(keys, d)
	if err != nil {
		return 0, err
	}
	if len(index.found) < maxTriggers {
		index.found[string(name)] = i
	}
	return i, nil
}

// declarationName tells declarations apart without reading their input.
func declarationName(d workflow.Declaration) []byte {
	return fmt.Appendf(make([]byte, 0, 256), "%d\x00%s\x00%s\x00%s\x00%s", d.Ordinal, d.Provider.Type, d.Provider.Alias, d.Type, d.Input)
}

// search compares identities, one registered trigger after the other.
func search(keys string, d workflow.Declaration) (int, error) {
	ordinal := d.Ordinal
	d.Ordinal = 0
	want, err := d.Identity()
	if err != nil {
		return 0, fmt.Errorf("identify the trigger: %w", err)
	}
	i := 0
	for line := range strings.Lines(keys) {
		got, err := identity(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return 0, err
		}
		if got == want {
			if ordinal == 0 {
				return i, nil
			}
			ordinal--
		}
		i++
	}
	return 0, &engine.Failure{
		Reason:  engine.NoHandler,
		Message: fmt.Sprintf("the code registers no %s.%s trigger with this input; it registers %d triggers", d.Provider.Type, d.Type, i),
	}
}

// identity is that of a registered trigger, as if it were the first of its
// equals.
func identity(key string) (string, error) {
	parts := bytes.SplitN([]byte(key), []byte{0}, 4)
	if len(parts) != 4 {
		return "", fmt.Errorf("a registered trigger has the key %q", key)
	}
	text, err := workflow.Declaration{
		Provider: workflow.ProviderRef{Type: string(parts[0]), Alias: string(parts[1])},
		Type:     string(parts[2]),
		Input:    json.RawMessage(parts[3]),
	}.Identity()
	if err != nil {
		return "", fmt.Errorf("identify a registered trigger: %w", err)
	}
	return text, nil
}
