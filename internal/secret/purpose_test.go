package secret

import (
	"errors"
	"strings"
	"testing"
)

// A text that is sealed for one purpose is none for another, nor for storage.
func TestPurposesAreApart(t *testing.T) {
	t.Parallel()
	ring, err := ParseKeyring(strings.Repeat("A", 43))
	if err != nil {
		t.Fatal(err)
	}
	flow := ring.For(LoginFlow)
	sealed, err := flow.Seal([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := flow.Open(sealed); err != nil || string(text) != "text" {
		t.Errorf("opened %q, %v", text, err)
	}
	for name, other := range map[string]*Keyring{"storage": ring, "login tokens": ring.For(LoginTokens)} {
		if _, err := other.Open(sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("the keys for %s open it: %v", name, err)
		}
	}
}
